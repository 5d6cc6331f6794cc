#include "dnn/run/run_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
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

/// What the owners of this host begin with.
std::string owner_here() {
  return "host " + host() + ", process ";
}

/// Whether the job "host H, process P" of a file without flock may still run.
bool may_live(const std::string& owner) {
  const std::string here = owner_here();
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
  return is_file_at(file, descriptor) ? Attempt::taken : Attempt::gone;
}

void write_owner(int descriptor, const std::string& file) {
  const std::string owner = owner_here() + std::to_string(static_cast<long>(::getpid())) + "\n";
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
    Descriptor opened(open_regular_file(file, O_RDWR | O_CREAT));
    if (!opened.is_open()) {
      throw FileError("lock the output folder", file, errno);
    }
    int refusal = 0;
    const Attempt result = attempt(opened.value(), file, refusal);
    const std::string owner = read_owner(opened.value());
    if (result == Attempt::taken) {
      write_owner(opened.value(), file);
      return {file, std::move(opened), owner, refusal};
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

bool RunLock::is_surely_free(const std::string& path) {
  const std::string file = path + "/.lock";
  // A network file system that is asked for the folder looks at it anew; otherwise it may remember
  // for a minute that there was no lock.
  const Descriptor folder(open_file(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const Descriptor opened(open_regular_file(file, O_RDONLY));
  if (!opened.is_open()) {
    return folder.is_open() && errno == ENOENT;
  }
  const std::string owner = read_owner(opened.value());
  if (!owner.starts_with(owner_here())) {
    return false;
  }
  // A shared lock needs no right to write. It is lifted at the end of this function, and a job that
  // takes the folder meanwhile tries again.
  if (::flock(opened.value(), LOCK_SH | LOCK_NB) == 0) {
    return is_file_at(file, opened.value());
  }
  return means_unsupported(errno) && !may_live(owner);
}

RunLock::RunLock(std::string file, Descriptor descriptor, std::string stale, int refusal)
    : file_(std::move(file)),
      descriptor_(std::move(descriptor)),
      stale_(std::move(stale)),
      refusal_(refusal) {}

RunLock::RunLock(RunLock&& other) noexcept
    : file_(std::move(other.file_)),
      descriptor_(std::move(other.descriptor_)),
      stale_(std::move(other.stale_)),
      refusal_(other.refusal_) {}

RunLock& RunLock::operator=(RunLock&& other) noexcept {
  if (this != &other) {
    release();
    file_ = std::move(other.file_);
    descriptor_ = std::move(other.descriptor_);
    stale_ = std::move(other.stale_);
    refusal_ = other.refusal_;
  }
  return *this;
}

RunLock::~RunLock() {
  release();
}

void RunLock::release() noexcept {
  if (descriptor_.is_open()) {
    ::unlink(file_.c_str());  // before the lock is lifted: who takes it next finds the file gone
    descriptor_.close();
  }
}

}  // namespace dnn
