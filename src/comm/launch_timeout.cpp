#include "dnn/comm/launch_timeout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "dnn/comm/program.hpp"
#include "dnn/core/messages.hpp"
#include "dnn/core/thread_limit.hpp"

namespace dnn {

namespace {

double limit_from_environment(const std::string& program) {
  constexpr double usual = 300;
  const char* text = std::getenv("DNN_LAUNCH_TIMEOUT");
  if (text == nullptr) {
    return usual;
  }
  char* end = nullptr;
  const double limit = std::strtod(text, &end);
  if (end == text || *end != '\0' || !(limit >= 0)) {
    std::fprintf(stderr, "%s: error: DNN_LAUNCH_TIMEOUT=%s is no number of seconds\n",
                 program.c_str(), text);
    std::exit(exit_bad_input);
  }
  return limit;
}

}  // namespace

LaunchTimeout::LaunchTimeout(std::string program)
    : program_(std::move(program)), limit_(limit_from_environment(program_)) {
  // The thread takes no signals: they are for others to handle.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, &before);
  thread_ = start_thread([this] { watch(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

LaunchTimeout::~LaunchTimeout() {
  {
    const std::lock_guard lock(mutex_);
    end_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void LaunchTimeout::set_paused(bool paused) {
  const std::lock_guard lock(mutex_);
  paused_ = paused;
  was_paused_ = was_paused_ || paused;
}

void LaunchTimeout::watch() {
  using Clock = std::chrono::steady_clock;
  const double interval = std::clamp(limit_ / 10, 0.05, 1.0);
  double idle = 0;
  Clock::time_point last = Clock::now();
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, std::chrono::duration<double>(interval), [this] { return end_; })) {
    const double passed = std::chrono::duration<double>(Clock::now() - last).count();
    last = Clock::now();
    idle = paused_ ? 0 : idle + std::min(passed, 2 * interval);
    if (limit_ > 0 && idle >= limit_) {
      complain_before_the_end(
          fmt::format("{}: error: the job has not come to {} for {:.0f} s (DNN_LAUNCH_TIMEOUT): a "
                      "rank is stuck "
                      "or was not started; the job ends, to be started again",
                      program_, was_paused_ ? "its end" : "its work", idle));
      std::_Exit(exit_failed);
    }
  }
}

}  // namespace dnn
