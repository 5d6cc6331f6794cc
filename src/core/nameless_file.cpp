#include "dnn/core/nameless_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "dnn/core/output_file.hpp"

namespace dnn {

NamelessFile::NamelessFile(const std::string& folder, const std::string& temporary,
                           const std::string& mark, Existing existing) {
  if (existing == Existing::kept) {
    file_ = Descriptor(open_file(folder, O_TMPFILE | O_RDWR | O_CLOEXEC));
    if (is_open() || !(means_unsupported(errno) || errno == EISDIR)) {
      return;
    }
  }
  constexpr int most_tries = 100;
  for (int tries = 0; tries < most_tries; ++tries) {
    if (make_named(temporary, mark) || errno != EAGAIN) {
      return;
    }
  }
}

/// Makes the file under a temporary name, and locks it until this process ends. False, with errno
/// set, where that fails: EAGAIN where another process has found the name before it was locked, and
/// has removed it or will (remove_if_left).
bool NamelessFile::make_named(const std::string& temporary, const std::string& mark) {
  std::string name = temporary + "-XXXXXX" + mark;
  file_ = Descriptor(::mkostemps(name.data(), static_cast<int>(mark.size()), O_CLOEXEC));
  if (!is_open()) {
    return false;
  }
  temporary_ = TemporaryName(name);
  const bool is_taken = ::flock(descriptor(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  if (!is_taken && is_file_at(name, descriptor())) {
    return true;
  }
  temporary_.remove();
  file_.close();
  errno = EAGAIN;
  return false;
}

bool NamelessFile::give_name(const std::string& path) {
  if (!temporary_.is_empty()) {
    return temporary_.rename_to(path);
  }
  const std::string own = "/proc/self/fd/" + std::to_string(descriptor());
  return ::linkat(AT_FDCWD, own.c_str(), AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW) == 0 ||
         errno == EEXIST;
}

void remove_if_left(const std::string& temporary) {
  const Descriptor file(open_regular_file(temporary, O_RDWR));
  if (file.is_open() && ::flock(file.value(), LOCK_EX | LOCK_NB) == 0) {
    ::unlink(temporary.c_str());
  }
}

}  // namespace dnn
