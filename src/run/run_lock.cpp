#include "dnn/run/run_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <span>
#include <thread>
#include <utility>

#include "dnn/core/error.hpp"
#include "dnn/core/output_file.hpp"

namespace dnn {

namespace {

/// Closes a descriptor unless it is given away.
struct Opened {
  int descriptor;
  explicit Opened(int d) : descriptor(d) {}
  Opened(const Opened&) = delete;
  Opened& operator=(const Opened&) = delete;
  ~Opened() {
    if (descriptor >= 0) {
      ::close(descriptor);
    }
  }
};

std::string host() {
  char name[256] = {};
  ::gethostname(name, sizeof(name) - 1);
  return name;
}

std::string read_owner(int descriptor) {
  char text[512];
  const ssize_t count = ::pread(descriptor, text, sizeof(text), 0);
  std::string owner(text, count > 0 ? static_cast<std::size_t>(count) : 0);
  owner.resize(std::min(owner.size(), owner.find('\n')));
  return owner;
}

/// Whether the job "host H, process P" of a file without flock may still run.
bool may_live(const std::string& owner) {
  const std::string here = "host " + host() + ", process ";
  if (!owner.starts_with(here)) {
    return !owner.empty();  // another host's: it cannot be asked
  }
  const auto process = static_cast<pid_t>(std::atol(owner.c_str() + here.size()));
  return process > 0 && process != ::getpid() && (::kill(process, 0) == 0 || errno == EPERM);
}

enum class Attempt { taken, held, gone };

/// `gone`: the file was removed by the one who held it, after it was opened here. `refusal`: see
/// RunLock.
Attempt attempt(int descriptor, const std::string& file, int& refusal) {
  refusal = 0;
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK || errno == EINTR) {
      return Attempt::held;
    }
    if (!means_unsupported(errno)) {
      throw FileError("lock the output folder", file, errno);
    }
    refusal = errno;
    if (may_live(read_owner(descriptor))) {
      return Attempt::held;
    }
  }
  struct stat opened {};
  struct stat named {};
  const bool same = ::fstat(descriptor, &opened) == 0 && ::lstat(file.c_str(), &named) == 0 &&
                    opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
  return same ? Attempt::taken : Attempt::gone;
}

void write_owner(int descriptor, const std::string& file) {
  const std::string owner =
      "host " + host() + ", process " + std::to_string(static_cast<long>(::getpid())) + "\n";
  if (::ftruncate(descriptor, 0) != 0 || !write_all(descriptor, std::as_bytes(std::span(owner)))) {
    const int code = errno;
    ::unlink(file.c_str());
    throw FileError("lock the output folder", file, code);
  }
}

}  // namespace

RunLock RunLock::take(const std::string& path, std::chrono::milliseconds patience) {
  const std::string file = path + "/.lock";
  const auto end = std::chrono::steady_clock::now() + patience;
  for (;;) {
    Opened opened(open_regular_file(file, O_RDWR | O_CREAT));
    if (opened.descriptor < 0) {
      throw FileError("lock the output folder", file, errno);
    }
    int refusal = 0;
    const Attempt result = attempt(opened.descriptor, file, refusal);
    const std::string owner = read_owner(opened.descriptor);
    if (result == Attempt::taken) {
      write_owner(opened.descriptor, file);
      return {file, std::exchange(opened.descriptor, -1), owner, refusal};
    }
    if (result == Attempt::held && std::chrono::steady_clock::now() >= end) {
      throw InputError(fmt::format(
          "the output folder {} is in use by another run ({}); wait for it, stop it, or name "
          "another folder with --output (if that run is dead and on another host, remove {})",
          path, owner, file));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

RunLock::RunLock(std::string file, int descriptor, std::string stale, int refusal)
    : file_(std::move(file)),
      descriptor_(descriptor),
      stale_(std::move(stale)),
      refusal_(refusal) {}

RunLock::RunLock(RunLock&& other) noexcept
    : file_(std::move(other.file_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      stale_(std::move(other.stale_)),
      refusal_(other.refusal_) {}

RunLock& RunLock::operator=(RunLock&& other) noexcept {
  if (this != &other) {
    release();
    file_ = std::move(other.file_);
    descriptor_ = std::exchange(other.descriptor_, -1);
    stale_ = std::move(other.stale_);
    refusal_ = other.refusal_;
  }
  return *this;
}

RunLock::~RunLock() {
  release();
}

void RunLock::release() noexcept {
  if (descriptor_ >= 0) {
    ::unlink(file_.c_str());  // before the lock is lifted: who takes it next finds the file gone
    ::close(descriptor_);
    descriptor_ = -1;
  }
}

}  // namespace dnn
