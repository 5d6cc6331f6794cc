#include "dnn/core/temporary_name.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>

namespace dnn {

TemporaryName::TemporaryName(std::string path) : path_(std::move(path)) {}

TemporaryName TemporaryName::beside(const std::string& path) {
  std::uint64_t number = 0;
  if (::getrandom(&number, sizeof(number), GRND_NONBLOCK) != sizeof(number)) {
    number =
        static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
  }
  return TemporaryName(fmt::format("{}.tmp.{:016x}", path, number));
}

TemporaryName::TemporaryName(TemporaryName&& other) noexcept
    : path_(std::exchange(other.path_, {})) {}

TemporaryName& TemporaryName::operator=(TemporaryName&& other) noexcept {
  if (this != &other) {
    remove();
    path_ = std::exchange(other.path_, {});
  }
  return *this;
}

void TemporaryName::remove() noexcept {
  if (!path_.empty()) {
    const int kept = errno;
    ::unlink(path_.c_str());
    errno = kept;
    path_.clear();
  }
}

bool TemporaryName::rename_to(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) == 0 && (S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode))) {
    errno = EINVAL;  // the machine's: root could replace /dev/null
    return false;
  }
  if (std::rename(path_.c_str(), path.c_str()) != 0) {
    return false;
  }
  path_.clear();
  return true;
}

bool TemporaryName::rename_to_new(const std::string& path) {
  if (::renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE) == 0) {
    path_.clear();
    return true;
  }
  if (errno != EINVAL && errno != ENOSYS) {
    return false;
  }
  // A file system that cannot rename so, such as NFS, mostly has links.
  if (::link(path_.c_str(), path.c_str()) == 0) {
    remove();
    return true;
  }
  if (errno == EEXIST) {
    return false;
  }
  struct stat status {};
  if (::lstat(path.c_str(), &status) == 0) {
    errno = EEXIST;
    return false;
  }
  return rename_to(path);
}

}  // namespace dnn
