#include "dnn/model/description_archive.hpp"

#include <utility>

// The bodies of the templates that make an archive: Boost's library holds those of its own ones.
#include <boost/archive/impl/archive_serializer_map.ipp>
#include <boost/archive/impl/basic_text_iarchive.ipp>
#include <boost/archive/impl/text_iarchive_impl.ipp>

namespace boost::archive {

template class detail::archive_serializer_map<dnn::DescriptionArchive>;
template class basic_text_iarchive<dnn::DescriptionArchive>;
template class text_iarchive_impl<dnn::DescriptionArchive>;

}  // namespace boost::archive

namespace dnn {

namespace {

[[noreturn]] void fail() {
  throw boost::archive::archive_exception(boost::archive::archive_exception::input_stream_error);
}

}  // namespace

DescriptionArchive::DescriptionArchive(std::istringstream& stream)
    : Base(stream, 0), stream_(stream) {
  init();
}

void DescriptionArchive::expect_end() {
  if (stream_.peek() == '\n') {
    stream_.get();
  }
  if (stream_.peek() != std::istringstream::traits_type::eof()) {
    fail();
  }
}

void DescriptionArchive::load(boost::serialization::collection_size_type& count) {
  Base::load(count);
  constexpr std::size_t least = 2;  // a digit and a blank
  expect_left(std::as_const(count), least);
}

void DescriptionArchive::load(std::string& text) {
  std::size_t size = 0;
  Base::load(size);
  expect_left(size, 1);
  stream_.get();  // the blank between
  text.resize(size);
  stream_.read(text.data(), static_cast<std::streamsize>(size));
}

void DescriptionArchive::expect_left(std::size_t count, std::size_t bytes) const {
  const std::streamsize left = stream_.rdbuf()->in_avail();
  if (left < 0 ? count > 0 : count > static_cast<std::size_t>(left) / bytes) {
    fail();
  }
}

}  // namespace dnn
