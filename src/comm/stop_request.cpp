#include "dnn/comm/stop_request.hpp"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <stdexcept>
#include <utility>

#include "dnn/comm/program.hpp"
#include "dnn/core/messages.hpp"
#include "dnn/core/thread_limit.hpp"

namespace dnn {

namespace {

constexpr int signals[] = {SIGTERM, SIGINT, SIGUSR1, SIGUSR2, SIGXCPU};
constexpr std::int64_t same_request = 500'000'000;  ///< nanoseconds
/// Of a time limit, in seconds: longer than any job, and a clock can still count it.
constexpr double longest_limit = 1e9;

// See Note [The one global].
std::atomic<int> first_signal = 0;
std::atomic<std::int64_t> first_signal_at = 0;
std::atomic<bool> in_use = false;
static_assert(std::atomic<int>::is_always_lock_free &&
                  std::atomic<std::int64_t>::is_always_lock_free,
              "a signal handler may touch lock-free atomics only");

extern "C" void take_signal(int number) {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  const std::int64_t now = std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
  std::int64_t first = 0;
  if (first_signal_at.compare_exchange_strong(first, now)) {
    first_signal.store(number);
  } else if (now - first >= same_request && number != SIGXCPU) {  // which comes every second
    std::signal(number, SIG_DFL);
    std::raise(number);  // takes effect when this handler returns
  }
}

sigset_t all_signals() {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int number : signals) {
    ::sigaddset(&set, number);
  }
  return set;
}

bool is_ignored(int number) {
  struct sigaction now {};
  ::sigaction(number, nullptr, &now);
  return now.sa_handler == SIG_IGN;
}

std::string name_of(int number) {
  switch (number) {
    case SIGTERM:
      return "SIGTERM";
    case SIGINT:
      return "SIGINT";
    case SIGUSR1:
      return "SIGUSR1";
    case SIGXCPU:  // a limit on CPU time: of a batch system, ulimit -St
      return "SIGXCPU";
    default:
      return "SIGUSR2";
  }
}

}  // namespace

StopRequest::StopRequest(std::string name)
    : name_(std::move(name)), is_interrupt_ignored_(is_ignored(SIGINT)) {
  if (in_use.exchange(true)) {
    throw std::logic_error("StopRequest: there is one already");
  }
  first_signal.store(0);
  first_signal_at.store(0);
  struct sigaction action {};
  action.sa_handler = take_signal;
  action.sa_flags = SA_RESTART;
  for (const int number : signals) {
    ::sigaction(number, &action, nullptr);
  }
  // A shell without job control starts what is to run in the background so.
  if (is_interrupt_ignored_) {
    std::signal(SIGINT, SIG_IGN);
  }
  const sigset_t set = all_signals();
  ::pthread_sigmask(SIG_BLOCK, &set, &mask_before_);
  thread_ = start_thread([this] { work(); });
}

StopRequest::~StopRequest() {
  {
    const std::lock_guard lock(mutex_);
    end_ = true;
  }
  wake_.notify_all();
  thread_.join();
  for (const int number : signals) {
    std::signal(number, SIG_IGN);  // forgets one that waits: there is nothing left to stop
    if (number != SIGINT || !is_interrupt_ignored_) {
      std::signal(number, SIG_DFL);
    }
  }
  ::pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
  in_use.store(false);
}

void StopRequest::limit_time(std::chrono::duration<double> limit) {
  const std::lock_guard lock(mutex_);
  const auto counted = std::min(limit, std::chrono::duration<double>(longest_limit));
  deadline_ = start_ + std::chrono::duration_cast<Clock::duration>(counted);
}

void StopRequest::watch(std::function<bool()> condition, std::string reason) {
  const std::lock_guard lock(mutex_);
  condition_ = std::move(condition);
  condition_reason_ = std::move(reason);
}

void StopRequest::defer() {
  const std::lock_guard lock(mutex_);
  deferred_ = true;
}

void StopRequest::at_once(bool speaks, std::string advice) {
  const std::lock_guard lock(mutex_);
  deferred_ = false;
  speaks_ = speaks;
  advice_ = std::move(advice);
}

bool StopRequest::requested() const {
  return requested_.load(std::memory_order_relaxed) ||
         first_signal.load(std::memory_order_relaxed) != 0;
}

std::string StopRequest::reason() const {
  const std::lock_guard lock(mutex_);
  return reason_.empty() ? find_reason() : reason_;
}

std::string StopRequest::find_reason() const {
  if (const int number = first_signal.load(); number != 0) {
    return name_of(number);
  }
  if (deadline_ && Clock::now() >= *deadline_) {
    return "the time limit";
  }
  return condition_ && condition_() ? condition_reason_ : std::string();
}

void StopRequest::work() {
  const sigset_t set = all_signals();
  ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  std::unique_lock lock(mutex_);
  while (!end_) {
    if (reason_.empty()) {
      reason_ = find_reason();
      requested_.store(!reason_.empty(), std::memory_order_relaxed);
    }
    if (!reason_.empty() && !deferred_) {
      if (speaks_) {
        complain(name_ + ": stopped by " + reason_ + "; " + advice_);
        std::fflush(nullptr);
      }
      ::_exit(exit_try_again);
    }
    wake_.wait_for(lock, std::chrono::milliseconds(reason_.empty() ? 50 : 100));
  }
}

}  // namespace dnn
