#pragma once

#include <boost/archive/text_iarchive.hpp>
#include <cstddef>
#include <sstream>
#include <string>

namespace dnn {

/// Reads what boost::archive::text_oarchive has written, as boost::archive::text_iarchive does, but
/// believes no length of a string or vector that the rest of the text is too short for: a damaged
/// description never asks for more memory than a small multiple of its own size. Throws
/// boost::archive::archive_exception for anything that it cannot read.
class DescriptionArchive : public boost::archive::text_iarchive_impl<DescriptionArchive> {
 public:
  /// Reads from `stream`, which must outlive the archive.
  explicit DescriptionArchive(std::istringstream& stream);

  /// Throws unless the whole text has been read.
  void expect_end();

 private:
  friend class boost::archive::load_access;
  using Base = boost::archive::text_iarchive_impl<DescriptionArchive>;

  template <class T>
  void load(T& value) {
    Base::load(value);
  }
  void load(boost::serialization::collection_size_type& count);
  void load(std::string& text);
  /// Throws unless there are `count` pieces of `bytes` bytes each in the rest of the text.
  void expect_left(std::size_t count, std::size_t bytes) const;

  std::istringstream& stream_;
};

}  // namespace dnn
