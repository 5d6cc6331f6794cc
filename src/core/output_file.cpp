#include "dnn/core/output_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "dnn/core/descriptor.hpp"
#include "dnn/core/error.hpp"

namespace dnn {

namespace {

/// Large files reach the disk piece by piece, so that a waiting process sees the progress, and the
/// last flush does not take minutes.
constexpr std::size_t most_at_once = std::size_t{64} << 20;

/// Calls again while a signal interrupts.
template <class Call>
auto uninterrupted(Call&& call) {
  auto result = call();
  while (result < 0 && errno == EINTR) {
    result = call();
  }
  return result;
}

}  // namespace

int open_file(const std::string& path, int flags) {
  return uninterrupted([&] { return ::open(path.c_str(), flags, 0666); });
}

int open_regular_file(const std::string& path, int flags) {
  Descriptor file(open_file(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
  struct stat status {};
  if (!file.is_open() || ::fstat(file.value(), &status) != 0) {
    return -1;
  }
  const bool is_shared = (flags & O_ACCMODE) != O_RDONLY && status.st_nlink > 1;
  if (S_ISREG(status.st_mode) && !is_shared) {
    return file.release();
  }
  errno = is_shared ? EMLINK : EINVAL;
  return -1;
}

bool is_file_at(const std::string& path, int descriptor) {
  struct stat named {};
  struct stat opened {};
  return ::lstat(path.c_str(), &named) == 0 && ::fstat(descriptor, &opened) == 0 &&
         named.st_ino == opened.st_ino && named.st_dev == opened.st_dev;
}

bool means_unsupported(int code) {
  constexpr int enotsupp = 524;  // the kernel's own number, which some file systems let out
  return code == ENOSYS || code == EOPNOTSUPP || code == ENOTSUP || code == EINVAL ||
         code == ENOLCK || code == enotsupp;
}

bool write_all(int descriptor, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = uninterrupted(
        [&] { return ::write(descriptor, bytes.data(), std::min(bytes.size(), most_at_once)); });
    if (written < 0) {
      return false;
    }
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    if (static_cast<std::size_t>(written) == most_at_once &&
        uninterrupted([&] { return ::fdatasync(descriptor); }) != 0 && !means_unsupported(errno)) {
      return false;
    }
  }
  return true;
}

OutputFile::OutputFile(const std::string& path, int flags, std::string name)
    : name_(std::move(name)), descriptor_(open_regular_file(path, flags | O_WRONLY)) {
  check(descriptor_ >= 0);
}

OutputFile::~OutputFile() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
}

void OutputFile::write(std::span<const std::byte> bytes) {
  check(write_all(descriptor_, bytes));
}

void OutputFile::rewind() {
  check(::lseek(descriptor_, 0, SEEK_SET) == 0);
}

bool OutputFile::flush() {
  const bool done = uninterrupted([this] { return ::fsync(descriptor_); }) == 0;
  check(done || means_unsupported(errno));
  return done;
}

void OutputFile::close() {
  // The descriptor is gone whatever close(2) says: it must not be called twice.
  check(::close(std::exchange(descriptor_, -1)) == 0 || errno == EINTR);
}

void OutputFile::check(bool done) const {
  if (!done) {
    throw FileError("write the file", name_, errno);
  }
}

}  // namespace dnn
