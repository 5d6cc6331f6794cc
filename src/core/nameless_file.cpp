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
  std::string name = temporary + "-XXXXXX" + mark;
  file_ = Descriptor(::mkostemps(name.data(), static_cast<int>(mark.size()), O_CLOEXEC));
  if (is_open()) {
    temporary_ = TemporaryName(name);
    (void)::flock(descriptor(), LOCK_EX | LOCK_NB);  // until this process ends, see remove_if_left
  }
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
