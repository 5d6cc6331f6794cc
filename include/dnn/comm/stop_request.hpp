#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "dnn/comm/stop_source.hpp"

namespace dnn {

/// Whether this process has been asked to stop: by SIGTERM, SIGINT (Ctrl-C), SIGUSR1, SIGUSR2 or
/// SIGXCPU, because its time is up, or by a condition that is looked at now and then. SIGINT stays
/// ignored where it was. Made once, first thing in main; a process has one at a time
/// (std::logic_error otherwise).
///
/// Note [The one global]
/// A signal handler can reach nothing but globals. Those of stop_request.cpp, lock-free atomics,
/// are the only ones of the project: the handler writes them, a thread of this object reads them.
/// A second signal half a second or more after the first has its default action and ends the
/// process at once; before that it is taken for the same request, since a batch system and mpirun
/// may both deliver one.
///
/// Note [Signals stay off computing threads]
/// The system writes a signal's frame (several KiB, with the vector registers) where the stack
/// pointer of the interrupted thread points. oneDNN's generated products (2.7, dnnl_sgemm) use that
/// register for other things: a signal amid one damages the heap. So the signals are blocked in the
/// thread that makes this object, which is why it comes first in main: all threads started later
/// inherit that, and the handler runs in this object's own thread.
///
/// At first a request ends the process at once, with exit_try_again: there is nothing to save yet.
/// After defer() it is for the program to ask requested().
class StopRequest final : public StopSource {
 public:
  using Clock = std::chrono::steady_clock;

  /// `name`: the program's, for messages.
  explicit StopRequest(std::string name);
  ~StopRequest() override;
  StopRequest(const StopRequest&) = delete;
  StopRequest& operator=(const StopRequest&) = delete;

  /// When this was made: about the process's start.
  [[nodiscard]] Clock::time_point start() const { return start_; }

  /// A request once `limit` is over, counted from start().
  void limit_time(std::chrono::duration<double> limit);
  /// A request once `condition` holds; it is called in a thread of its own, ten times a second.
  void watch(std::function<bool()> condition, std::string reason);

  /// From now on requests wait for the program to ask, or end the process at once. `speaks`:
  /// whether this process says so when that happens (one rank should), with `advice` how to go on.
  void defer();
  void at_once(bool speaks, std::string advice = "repeat the command to resume");

  /// Costs no more than two reads of memory.
  [[nodiscard]] bool requested() const override;
  [[nodiscard]] std::string reason() const override;

 private:
  void work();
  [[nodiscard]] std::string find_reason() const;

  std::string name_;
  std::string advice_;
  bool is_interrupt_ignored_;
  Clock::time_point start_ = Clock::now();
  std::atomic<bool> requested_ = false;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool deferred_ = false;
  bool speaks_ = false;
  bool end_ = false;
  std::optional<Clock::time_point> deadline_;
  std::function<bool()> condition_;
  std::string condition_reason_;
  std::string reason_;
  sigset_t mask_before_{};
  std::thread thread_;
};

}  // namespace dnn
