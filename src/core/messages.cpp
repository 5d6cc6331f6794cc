#include "dnn/core/messages.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <future>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <utility>

#include "dnn/core/descriptor.hpp"
#include "dnn/core/output_file.hpp"
#include "dnn/core/printable.hpp"

namespace dnn {

namespace {

/// What was said before there is a log, as much as is kept.
constexpr std::size_t most_kept = std::size_t{1} << 16;

/// The log's descriptor: a handler can take no lock.
std::atomic<int> open_log = -1;

/// See output_failure.
std::atomic<int> first_output_failure = 0;

/// See Note [The log of a run].
struct Log {
  std::mutex mutex;
  std::string path;
  std::string before;  ///< what was said before there was a log

  void add(const std::string& lines) {
    const std::lock_guard lock(mutex);
    if (path.empty()) {
      before += before.size() < most_kept ? lines : std::string();
      return;
    }
    if (open_log >= 0 && !is_file_at(path, open_log)) {  // renamed or removed meanwhile
      const int made = open_regular_file(path, O_WRONLY | O_APPEND | O_CREAT);
      if (made >= 0) {
        ::close(open_log.exchange(made));
      }
    }
    if (open_log < 0) {
      open_log = open_regular_file(path, O_WRONLY | O_APPEND);
    }
    if (open_log >= 0) {
      (void)!write_all(open_log, std::as_bytes(std::span(lines)));
    }
  }
};

Log& log() {
  static auto* const the_log = new Log;  // outlives whatever speaks at exit
  return *the_log;
}

std::string now() {
  const std::time_t time = std::time(nullptr);
  std::tm parts{};
  char text[32] = {};
  if (::localtime_r(&time, &parts) != nullptr) {
    (void)std::strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &parts);
  }
  return text;
}

/// See Note [Messages within another program].
thread_local MessageReceiver* receiver = nullptr;
std::atomic<bool> within_another_program = false;

/// Whether the text has gone to the program that this code is part of.
bool is_passed_on(const std::string& text) {
  if (receiver != nullptr) {
    receiver->take(text);
  }
  return within_another_program;
}

std::string line_of(const std::string& text) {
  return printable(text) + (text.ends_with('\n') ? "" : "\n");
}

/// Of standard output or standard error, by its descriptor.
bool has_reader(int stream) {
  // Only where mpirun is the parent is it known whose output this is.
  if (std::getenv("OMPI_COMM_WORLD_SIZE") == nullptr && std::getenv("PMI_SIZE") == nullptr) {
    return true;
  }
  static std::array<std::atomic<bool>, 3> all_gone{};
  std::atomic<bool>& gone = all_gone.at(static_cast<std::size_t>(stream));
  if (!gone.load()) {
    const std::string output =
        "/proc/" + std::to_string(::getppid()) + "/fd/" + std::to_string(stream);
    struct stat status {};
    const bool has_ends = ::stat(output.c_str(), &status) == 0 &&
                          (S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode));
    const Descriptor end(
        !has_ends ? -1 : ::open(output.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (end.is_open()) {
      pollfd state{end.value(), POLLOUT, 0};
      // A pipe without a reader, or a terminal that hung up.
      gone.store(::poll(&state, 1, 0) > 0 && (state.revents & (POLLERR | POLLHUP)) != 0);
    } else {
      gone.store(has_ends && (errno == ENXIO || errno == EIO));
    }
  }
  return !gone.load();
}

/// Prints on a stream whose reader may be gone, slow, or on a full disk. What cannot be written is
/// given up; what follows is tried again. A pipe or terminal that does not block (another program
/// may have set that, for all that share it) is waited for. Returns the errno value of the write
/// that was given up, or 0.
int print(std::FILE* stream, std::string_view lines) {
  constexpr int patience = 1000;  // milliseconds
  const int descriptor = ::fileno(stream);
  if (!has_reader(descriptor)) {
    return EPIPE;
  }
  const int before = errno;
  int failure = 0;
  (void)std::fflush(stream);
  while (!lines.empty()) {
    const ssize_t written = ::write(descriptor, lines.data(), lines.size());
    if (written >= 0) {
      lines.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      pollfd state{descriptor, POLLOUT, 0};
      if (::poll(&state, 1, patience) == 0) {
        failure = EAGAIN;
        break;
      }
    } else if (errno != EINTR) {
      failure = errno;
      break;
    }
  }
  errno = before;
  return failure;
}

}  // namespace

MessageReceiver::MessageReceiver(std::function<void(const std::string& text)> take)
    : take_(std::move(take)), before_(std::exchange(receiver, this)) {
  within_another_program = true;
}

MessageReceiver::~MessageReceiver() {
  receiver = before_;
}

void MessageReceiver::take(const std::string& text) const {
  if (take_) {
    std::string line = printable(text);
    if (line.ends_with('\n')) {
      line.pop_back();
    }
    take_(line);
  }
}

void say(const std::string& text) {
  if (is_passed_on(text)) {
    return;
  }
  const std::string line = line_of(text);
  log().add(line);
  const int failure = print(stdout, line);
  int none = 0;
  if (failure != 0 && failure != EPIPE) {
    first_output_failure.compare_exchange_strong(none, failure);
  }
}

int output_failure() {
  const int failure = first_output_failure.load();
  if (failure != 0) {
    return failure;
  }
  const int copy = ::dup(STDOUT_FILENO);
  return copy >= 0 && ::close(copy) != 0 && errno != EINTR ? errno : 0;
}

void complain(const std::string& text) {
  if (is_passed_on(text)) {
    return;
  }
  const std::string line = line_of(text);
  log().add(line);
  (void)print(stderr, line);
}

void complain_before_the_end(const std::string& text) {
  constexpr std::chrono::seconds longest(1);
  const std::string line = line_of(text);
  (void)print(stderr, line);
  const auto written = std::make_shared<std::promise<void>>();
  std::thread([line, written] {
    log().add(line);
    written->set_value();
  }).detach();
  (void)written->get_future().wait_for(longest);
}

void write_from_handler(std::string_view lines) {
  (void)!::write(STDERR_FILENO, lines.data(), lines.size());
  if (const int descriptor = open_log.load(); descriptor >= 0) {
    (void)!::write(descriptor, lines.data(), lines.size());
  }
}

void note_in_log(const std::string& text) {
  if (is_passed_on(text)) {
    return;
  }
  log().add(line_of(text));
}

void outlive_readers() {
  // A file must not get the number of a stream that the caller closed: messages would go into it.
  for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; ++stream) {
    if (::fcntl(stream, F_GETFD) < 0 && errno == EBADF) {
      (void)!::open("/dev/null", O_RDWR);
    }
  }
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // writes then fail with EFBIG, as on a full disk
  std::signal(SIGHUP, SIG_IGN);
}

bool output_has_reader() {
  return has_reader(STDOUT_FILENO);
}

void use_log(const std::string& path, bool creates) {
  Log& to = log();
  std::string before;
  {
    const std::lock_guard lock(to.mutex);
    if (const int old = open_log.exchange(-1); old >= 0) {
      ::close(old);
    }
    to.path = path;
    before = std::exchange(to.before, {});
    if (creates) {
      open_log = open_regular_file(path, O_WRONLY | O_APPEND | O_CREAT);
    }
  }
  if (creates) {
    to.add(fmt::format("--- {}, process {}\n", now(), static_cast<long>(::getpid())) + before);
  }
}

}  // namespace dnn
