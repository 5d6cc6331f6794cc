#include "dnn/core/thread_limit.hpp"

#include <fmt/format.h>
#include <pthread.h>
#include <sys/mman.h>

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "dnn/core/error.hpp"

namespace dnn {

namespace {

/// For the threads that load, write checkpoints and watch.
constexpr std::size_t for_services = 4;

/// The system says EAGAIN for either.
const char* what_to_change() {
  pthread_attr_t usual;
  std::size_t stack = 0;
  ::pthread_attr_init(&usual);
  ::pthread_attr_getstacksize(&usual, &stack);
  ::pthread_attr_destroy(&usual);
  void* const room = ::mmap(nullptr, stack, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (room == MAP_FAILED) {
    return "its stack has no room in the address space (ulimit -v): raise the limit, or use fewer "
           "--threads";
  }
  ::munmap(room, stack);
  return "the number of processes and threads is limited (ulimit -u; pids.max of a container or a "
         "service): raise the limit, or use fewer ranks or --threads";
}

/// Threads that exist at the same time and do nothing.
class IdleThreads {
 public:
  IdleThreads() = default;
  IdleThreads(const IdleThreads&) = delete;
  IdleThreads& operator=(const IdleThreads&) = delete;
  ~IdleThreads() {
    {
      const std::lock_guard lock(mutex_);
      end_ = true;
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) {
      thread.join();
    }
  }

  /// Starts up to `count` of them; returns how many there are.
  std::size_t start(std::size_t count) {
    threads_.reserve(count);
    try {
      while (threads_.size() < count) {
        threads_.emplace_back([this] {
          std::unique_lock lock(mutex_);
          changed_.wait(lock, [this] { return end_; });
        });
      }
    } catch (const std::system_error&) {
      // Told by the number that is returned.
    }
    return threads_.size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool end_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace

std::thread start_thread(std::function<void()> work) {
  try {
    return std::thread(std::move(work));
  } catch (const std::system_error& error) {
    throw InputError(
        fmt::format("cannot start a thread: {}: {}", error.code().message(), what_to_change()));
  }
}

void require_threads(int threads) {
  if (threads <= 1) {
    return;
  }
  const std::size_t wanted = static_cast<std::size_t>(threads) - 1 + for_services;
  IdleThreads idle;
  if (const std::size_t started = idle.start(wanted); started < wanted) {
    throw InputError(fmt::format(
        "{} threads to compute with (--threads, OMP_NUM_THREADS) and {} for other work: the system "
        "starts only {} more; {}",
        threads, for_services, started, what_to_change()));
  }
}

}  // namespace dnn
