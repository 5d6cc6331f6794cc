#pragma once

#include <atomic>
#include <cstdint>

namespace dnn {

/// What a rank is about, apart from waiting for others.
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

/// What a rank does and how far it is, for others to see. Lies where several processes can read it.
struct alignas(64) Pulse {
  std::atomic<std::uint64_t> beats;   ///< grows whenever the rank gets on
  std::atomic<std::uint64_t> ticks;   ///< grows as long as its process runs
  std::atomic<std::uint64_t> update;  ///< the update that it is at, from 1; 0 before training
  std::atomic<Activity> activity;
  std::atomic<Operation> operation;
  std::atomic<std::int32_t> process;
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free &&
                  std::atomic<Activity>::is_always_lock_free,
              "processes that share memory do not share locks");

/// Where this rank's threads note down what they do. All communicators of a rank that come from one
/// have the same recorder. A note costs a few nanoseconds.
class PulseRecorder {
 public:
  PulseRecorder() = default;
  PulseRecorder(const PulseRecorder&) = delete;
  PulseRecorder& operator=(const PulseRecorder&) = delete;

  /// From now on notes go to `pulse` (which takes over what was noted so far), or, for null, into
  /// the recorder itself.
  void record_in(Pulse* pulse);

  void begin(Activity activity) {
    Pulse& pulse = *pulse_.load(std::memory_order_relaxed);
    pulse.activity.store(activity, std::memory_order_relaxed);
    beat(pulse);
  }
  void begin_update(std::uint64_t update) {
    Pulse& pulse = *pulse_.load(std::memory_order_relaxed);
    pulse.update.store(update, std::memory_order_relaxed);
    beat(pulse);
  }

  /// The calling thread waits for other ranks for as long as this lives.
  class Waiting {
   public:
    Waiting(PulseRecorder& recorder, Operation operation)
        : pulse_(*recorder.pulse_.load(std::memory_order_relaxed)) {
      pulse_.operation.store(operation, std::memory_order_relaxed);
    }
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;
    ~Waiting() {
      pulse_.operation.store(Operation::none, std::memory_order_relaxed);
      beat(pulse_);
    }

   private:
    Pulse& pulse_;
  };

 private:
  /// The watching thread may write at the same time: a beat that is lost is followed by others.
  static void beat(Pulse& pulse) {
    pulse.beats.store(pulse.beats.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }

  Pulse own_{};
  std::atomic<Pulse*> pulse_ = &own_;
};

}  // namespace dnn
