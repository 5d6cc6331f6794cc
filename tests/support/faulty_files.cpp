// A library for LD_PRELOAD that lets one file operation of a program fail, as disks, quotas and
// kills do: every operation on a path below the folder DNN_FAULT_FOLDER is one of
//
//     open, mkdir, write, ftruncate, fsync, flock, close, rename, remove
//
// followed by the name relative to the folder, without the number of the process that a temporary
// file ends with and the moment in the name of a checkpoint's part, and by how many there were of
// the two before: "rename metrics.jsonl 1".
//
//     DNN_FAULT_LOG   a file that gets the name of each operation
//     DNN_FAULT_AT    the operation that fails; "*" as its first word means any, as its last one
//                     every time
//     DNN_FAULT       how: short (a write writes half of its bytes), eintr (once), a name of errno
//                     (ENOSPC), kill-before, kill-after, stop-after (the process stops itself, and
//                     can be continued)
//     DNN_FAULT_ONCE  a file that is made then: no process fails where it is there already
//     DNN_FAULT_ON    all: every operation that follows fails, too
//     DNN_FAULT_THREADS  how many threads a process may start in its life (EAGAIN from then on)
//
// So the names are the same in every run, whatever the order in which its threads come to them.

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace {

/// The function of that name that this library hides.
template <class Function>
Function next(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

enum class Fault { none, short_write, error, signal_after };

const std::map<std::string, int> error_codes = {
    {"EACCES", EACCES},         {"EDQUOT", EDQUOT}, {"EINTR", EINTR},   {"EIO", EIO},
    {"EINVAL", EINVAL},         {"ENOENT", ENOENT}, {"ENOSPC", ENOSPC}, {"ENOTSUPP", 524},
    {"EOPNOTSUPP", EOPNOTSUPP}, {"EROFS", EROFS},
};

/// What has happened so far, and what is to happen.
class Plan {
 public:
  static Plan& instance() {
    static auto* const plan = new Plan;  // outlives whatever writes at exit
    return *plan;
  }

  /// The name of a path inside the folder; empty for others.
  [[nodiscard]] std::string inside(const char* path) const {
    const std::string text = path;
    if (folder_.empty() || !(text + "/").starts_with(folder_ + "/")) {
      return {};
    }
    std::string name = text.size() > folder_.size() ? text.substr(folder_.size() + 1) : ".";
    if (const std::size_t at = name.find(".tmp."); at != std::string::npos) {
      name.resize(at + 4);
    }
    if (const std::size_t part = name.find(".part-"); part != std::string::npos) {
      const std::size_t begun = name.rfind('.', part - 1);
      name.erase(begun, part - begun);
    }
    return name;
  }

  void opened(int descriptor, const std::string& name) {
    const std::lock_guard lock(mutex_);
    descriptors_[descriptor] = name;
  }
  std::string name_of(int descriptor) {
    const std::lock_guard lock(mutex_);
    const auto found = descriptors_.find(descriptor);
    return found != descriptors_.end() ? found->second : std::string();
  }
  void closed(int descriptor) {
    const std::lock_guard lock(mutex_);
    descriptors_.erase(descriptor);
  }

  /// What a process gets after the operation that fails.
  [[nodiscard]] int signal() const { return how_ == "stop-after" ? SIGSTOP : SIGKILL; }

  /// What happens to this operation; sets errno for an error.
  Fault meet(const std::string& operation, const std::string& name) {
    const std::lock_guard lock(mutex_);
    const std::string what = operation + " " + name;
    const std::string count = std::to_string(++counts_[what]);
    if (log_ >= 0) {
      const std::string line = what + " " + count + "\n";
      (void)!next<decltype(&::write)>("write")(log_, line.data(), line.size());
    }
    const bool here = at_ == what + " " + count || at_ == what + " *" ||
                      at_ == "* " + name + " " + count || at_ == "* " + name + " *";
    if (!here && !(on_ && begun_)) {
      return Fault::none;
    }
    if (!once_.empty() && !begun_ && !make_file(once_, O_EXCL)) {
      return Fault::none;
    }
    if (!begun_ && how_ == "EINTR") {
      at_.clear();  // nobody is interrupted for ever
    }
    begun_ = true;
    if (how_ == "kill-before") {
      ::raise(SIGKILL);
    }
    if (how_ == "kill-after" || how_ == "stop-after") {
      return Fault::signal_after;
    }
    if (how_ == "short") {
      return Fault::short_write;
    }
    errno = error_codes.at(how_);
    return Fault::error;
  }

 private:
  Plan() {
    if (const std::string log = variable("DNN_FAULT_LOG"); !log.empty()) {
      log_ = make_file(log, O_APPEND).value_or(-1);
    }
  }

  /// Opens a file of this library's own, which no operation of the program is.
  static std::optional<int> make_file(const std::string& path, int flag) {
    const int descriptor = next<int (*)(const char*, int, ...)>("open")(
        path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | flag, 0666);
    return descriptor >= 0 ? std::optional(descriptor) : std::nullopt;
  }

  const std::string folder_ = variable("DNN_FAULT_FOLDER");
  std::string at_ = variable("DNN_FAULT_AT");
  const std::string how_ = variable("DNN_FAULT");
  const bool on_ = variable("DNN_FAULT_ON") == "all";
  const std::string once_ = variable("DNN_FAULT_ONCE");
  int log_ = -1;
  std::mutex mutex_;
  bool begun_ = false;
  std::map<std::string, int> counts_;
  std::map<int, std::string> descriptors_;
};

/// Does `work`, or lets it fail: returns -1 then, with errno set.
template <class Work>
auto operate(const char* operation, const std::string& name, Work&& work) -> decltype(work(false)) {
  switch (Plan::instance().meet(operation, name)) {
    case Fault::error:
      return -1;
    case Fault::short_write:
      return work(true);
    case Fault::signal_after: {
      const auto result = work(false);
      ::raise(Plan::instance().signal());
      return result;
    }
    default:
      return work(false);
  }
}

int open_file(const char* path, int flags, mode_t mode) {
  const auto real = next<int (*)(const char*, int, ...)>("open");
  const std::string name = Plan::instance().inside(path);
  if (name.empty()) {
    return real(path, flags, mode);
  }
  const int descriptor =
      operate("open", name, [&](bool /*half*/) { return real(path, flags, mode); });
  if (descriptor >= 0) {
    Plan::instance().opened(descriptor, name);
  }
  return descriptor;
}

/// An operation on a descriptor; `work` gets whether it is to do half.
template <class Work>
auto on_descriptor(const char* operation, int descriptor, Work&& work) -> decltype(work(false)) {
  const std::string name = Plan::instance().name_of(descriptor);
  return name.empty() ? work(false) : operate(operation, name, work);
}

template <class Work>
int on_path(const char* operation, const char* path, Work&& work) {
  const std::string name = Plan::instance().inside(path);
  return name.empty() ? work(false) : operate(operation, name, work);
}

std::size_t bytes_of(std::size_t count, bool half) {
  return half && count > 1 ? count / 2 : count;
}

}  // namespace

// The functions of the C library that this one hides, with its names.
extern "C" {

__attribute__((visibility("default"))) int pthread_create(pthread_t* thread,
                                                          const pthread_attr_t* attributes,
                                                          void* (*work)(void*),
                                                          void* argument) noexcept {
  static const std::string limit = variable("DNN_FAULT_THREADS");
  static std::atomic<int> left = limit.empty() ? 0 : std::stoi(limit);
  if (!limit.empty() && left.fetch_sub(1) <= 0) {
    return EAGAIN;
  }
  using Create = int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
  return next<Create>("pthread_create")(thread, attributes, work, argument);
}

__attribute__((visibility("default"))) int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  return open_file(path, flags, mode);
}

__attribute__((visibility("default"))) int open64(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  return open_file(path, flags, mode);
}

__attribute__((visibility("default"))) ssize_t write(int descriptor, const void* bytes,
                                                     std::size_t count) {
  return on_descriptor("write", descriptor, [&](bool half) {
    return next<decltype(&::write)>("write")(descriptor, bytes, bytes_of(count, half));
  });
}

__attribute__((visibility("default"))) ssize_t pwrite(int descriptor, const void* bytes,
                                                      std::size_t count, off_t offset) {
  return on_descriptor("write", descriptor, [&](bool half) {
    return next<decltype(&::pwrite)>("pwrite")(descriptor, bytes, bytes_of(count, half), offset);
  });
}

__attribute__((visibility("default"))) int ftruncate(int descriptor, off_t length) noexcept {
  return on_descriptor("ftruncate", descriptor, [&](bool /*half*/) {
    return next<int (*)(int, off_t)>("ftruncate")(descriptor, length);
  });
}

__attribute__((visibility("default"))) int fsync(int descriptor) {
  return on_descriptor("fsync", descriptor,
                       [&](bool /*half*/) { return next<int (*)(int)>("fsync")(descriptor); });
}

__attribute__((visibility("default"))) int flock(int descriptor, int operation) noexcept {
  return on_descriptor("flock", descriptor, [&](bool /*half*/) {
    return next<int (*)(int, int)>("flock")(descriptor, operation);
  });
}

__attribute__((visibility("default"))) int close(int descriptor) {
  const auto real = next<int (*)(int)>("close");
  const std::string name = Plan::instance().name_of(descriptor);
  if (name.empty()) {
    return real(descriptor);
  }
  Plan::instance().closed(descriptor);
  const int result = operate("close", name, [&](bool /*half*/) { return real(descriptor); });
  if (result != 0) {
    const int code = errno;
    real(descriptor);  // Linux closes the file, whatever it says
    errno = code;
  }
  return result;
}

__attribute__((visibility("default"))) int rename(const char* from, const char* to) noexcept {
  return on_path("rename", to, [&](bool /*half*/) {
    return next<int (*)(const char*, const char*)>("rename")(from, to);
  });
}

__attribute__((visibility("default"))) int unlink(const char* path) noexcept {
  return on_path("remove", path,
                 [&](bool /*half*/) { return next<int (*)(const char*)>("unlink")(path); });
}

__attribute__((visibility("default"))) int remove(const char* path) noexcept {
  return on_path("remove", path,
                 [&](bool /*half*/) { return next<int (*)(const char*)>("remove")(path); });
}

__attribute__((visibility("default"))) int mkdir(const char* path, mode_t mode) noexcept {
  return on_path("mkdir", path, [&](bool /*half*/) {
    return next<int (*)(const char*, mode_t)>("mkdir")(path, mode);
  });
}

}  // extern "C"
