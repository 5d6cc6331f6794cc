#pragma once

// What each rank is doing, in memory that the ranks of a node share; the Watchdog reads it.

#include <atomic>
#include <cstdint>

namespace dnn {

/// What a rank is doing, apart from waiting for others.
enum class Activity : std::uint32_t {
  starting,
  loading,
  computing,
  fetching,
  evaluating,
  writing,
  checkpointing,
  ending
};

/// The operation in which a rank waits for others.
enum class Operation : std::uint32_t {
  none,
  barrier,
  node_barrier,
  all_reduce,
  all_to_all,
  all_gather,
  broadcast,
  send,
  receive,
  split,
  window
};

/// As words of a message.
[[nodiscard]] const char* name_of(Activity activity);
[[nodiscard]] const char* name_of(Operation operation);

/// What a rank does and how far it is. Other processes read it, so it is in shared memory.
struct alignas(64) Heartbeat {
  std::atomic<std::uint64_t> beats;   ///< grows whenever the rank makes progress
  std::atomic<std::uint64_t> ticks;   ///< grows as long as its process runs
  std::atomic<std::uint64_t> update;  ///< the update that it is at, from 1; 0 before training
  std::atomic<Activity> activity;
  std::atomic<Operation> operation;
  std::atomic<std::int32_t> process;
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free &&
                  std::atomic<Activity>::is_always_lock_free,
              "processes that share memory do not share locks");

/// Records what this rank's threads do. All communicators of a rank that come from one
/// have the same recorder. A note costs a few nanoseconds.
class HeartbeatRecorder {
 public:
  HeartbeatRecorder() = default;
  HeartbeatRecorder(const HeartbeatRecorder&) = delete;
  HeartbeatRecorder& operator=(const HeartbeatRecorder&) = delete;

  /// From now on notes go to `heartbeat` (which takes over what was noted so far), or, for null,
  /// into the recorder itself.
  void record_in(Heartbeat* heartbeat);

  [[nodiscard]] Activity activity() const {
    return heartbeat_.load(std::memory_order_relaxed)->activity.load(std::memory_order_relaxed);
  }

  void begin(Activity activity) {
    Heartbeat& heartbeat = *heartbeat_.load(std::memory_order_relaxed);
    heartbeat.activity.store(activity, std::memory_order_relaxed);
    beat(heartbeat);
  }
  void begin_update(std::uint64_t update) {
    Heartbeat& heartbeat = *heartbeat_.load(std::memory_order_relaxed);
    heartbeat.update.store(update, std::memory_order_relaxed);
    beat(heartbeat);
  }

  /// The calling thread waits for other ranks for as long as this lives.
  class Waiting {
   public:
    Waiting(HeartbeatRecorder& recorder, Operation operation)
        : heartbeat_(*recorder.heartbeat_.load(std::memory_order_relaxed)) {
      heartbeat_.operation.store(operation, std::memory_order_relaxed);
    }
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;
    ~Waiting() {
      heartbeat_.operation.store(Operation::none, std::memory_order_relaxed);
      beat(heartbeat_);
    }

   private:
    Heartbeat& heartbeat_;
  };

 private:
  /// The watching thread may write at the same time: a beat that is lost is followed by others.
  static void beat(Heartbeat& heartbeat) {
    heartbeat.beats.store(heartbeat.beats.load(std::memory_order_relaxed) + 1,
                          std::memory_order_relaxed);
  }

  Heartbeat own_{};
  std::atomic<Heartbeat*> heartbeat_ = &own_;
};

}  // namespace dnn
