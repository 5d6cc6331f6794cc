#include "dnn/core/temporary_name.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

namespace dnn {

TemporaryName::TemporaryName(std::string path) : path_(std::move(path)) {}

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

}  // namespace dnn
