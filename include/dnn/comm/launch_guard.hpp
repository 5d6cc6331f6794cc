#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace dnn {

/// Ends this process, and with it the job, when a job does not come to its work, or to its end: a
/// rank that is stuck while MPI starts or ends lets all others wait inside MPI, and no watchdog is
/// there yet, or any more.
///
/// A job that is suspended as a whole is not ended for it, see Watchdog.
class LaunchGuard {
 public:
  /// Guards from now on. `program`: what the message begins with. The limit is 300 seconds, or what
  /// the environment variable DNN_LAUNCH_TIMEOUT says (0: none).
  explicit LaunchGuard(std::string program);
  LaunchGuard(const LaunchGuard&) = delete;
  LaunchGuard& operator=(const LaunchGuard&) = delete;
  ~LaunchGuard();

  /// While one lives, time does not count: the job is at its work.
  class Pause {
   public:
    explicit Pause(LaunchGuard& guard) : guard_(guard) { guard_.set_paused(true); }
    Pause(const Pause&) = delete;
    Pause& operator=(const Pause&) = delete;
    ~Pause() { guard_.set_paused(false); }

   private:
    LaunchGuard& guard_;
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
