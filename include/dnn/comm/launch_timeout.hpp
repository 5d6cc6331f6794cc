#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace dnn {

/// Ends the job when MPI takes too long to start or to end. A rank that is stuck then lets all
/// others wait inside MPI, where the Watchdog does not run yet, or no longer runs.
///
/// A suspended job is not ended, see Watchdog.
class LaunchTimeout {
 public:
  /// The time runs from now on. `program`: what the message begins with. The limit is 300 seconds,
  /// or what the environment variable DNN_LAUNCH_TIMEOUT says (0: none).
  explicit LaunchTimeout(std::string program);
  LaunchTimeout(const LaunchTimeout&) = delete;
  LaunchTimeout& operator=(const LaunchTimeout&) = delete;
  ~LaunchTimeout();

  /// While a Pause lives, the time does not run: the job is computing.
  class Pause {
   public:
    explicit Pause(LaunchTimeout& timeout) : timeout_(timeout) { timeout_.set_paused(true); }
    Pause(const Pause&) = delete;
    Pause& operator=(const Pause&) = delete;
    ~Pause() { timeout_.set_paused(false); }

   private:
    LaunchTimeout& timeout_;
  };

 private:
  void set_paused(bool paused);
  void watch();

  std::string program_;
  double limit_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool paused_ = false;
  bool was_paused_ = false;
  bool end_ = false;
  std::thread thread_;
};

}  // namespace dnn
