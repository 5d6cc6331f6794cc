#include "dnn/core/appended_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>
#include <utility>
#include <vector>

#include "dnn/core/atomic_file.hpp"
#include "dnn/core/descriptor.hpp"
#include "dnn/core/error.hpp"
#include "dnn/core/output_file.hpp"

namespace dnn {

std::optional<std::string> contents_of(const std::string& path) {
  const Descriptor file(open_regular_file(path, O_RDONLY));
  if (!file.is_open()) {
    if (errno == ENOENT) {
      return std::nullopt;
    }
    throw FileError("read", path, errno);
  }
  std::string text;
  std::array<char, 1 << 16> buffer{};
  ssize_t count = 0;
  while ((count = ::read(file.value(), buffer.data(), buffer.size())) != 0) {
    if (count < 0 && errno != EINTR) {
      throw FileError("read", path, errno);
    }
    text.append(buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  }
  return text;
}

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
