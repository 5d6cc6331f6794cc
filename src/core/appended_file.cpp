#include "dnn/core/appended_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "dnn/core/atomic_file.hpp"
#include "dnn/core/output_file.hpp"
#include "dnn/core/text_file.hpp"

namespace dnn {

AppendedFile::AppendedFile(std::string path) : path_(std::move(path)), size_(size_on_disk()) {}

/// 0 where there is no regular file.
std::uint64_t AppendedFile::size_on_disk() const {
  struct stat status {};
  const bool is_there = ::lstat(path_.c_str(), &status) == 0 && S_ISREG(status.st_mode);
  return is_there ? static_cast<std::uint64_t>(status.st_size) : 0;
}

void AppendedFile::begin_again() {
  waiting_.clear();
  size_ = size_on_disk();
  is_whole_ = true;
}

void AppendedFile::flush() {
  if (waiting_.empty()) {
    return;
  }
  if (is_whole_) {
    append();
  } else {
    write_anew();
  }
  size_ += waiting_.size();
  waiting_.clear();
  is_whole_ = true;
}

void AppendedFile::append() {
  is_whole_ = false;
  OutputFile file(path_, O_APPEND | O_CREAT, path_);
  file.write(std::as_bytes(std::span(waiting_)));
  file.close();
}

/// After an append that failed: the good part, and what waits.
void AppendedFile::write_anew() {
  const std::string before = contents_of(path_).value_or("");
  const auto good = std::span(before).first(std::min<std::uint64_t>(size_, before.size()));
  write_file_atomically(path_,
                        std::vector{std::as_bytes(good), std::as_bytes(std::span(waiting_))});
  size_ = good.size();
}

}  // namespace dnn
