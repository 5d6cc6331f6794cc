#pragma once

#include <cstdint>

namespace dnn {

enum class ScheduleKind { constant, step, cosine };

struct ScheduleSettings {
  ScheduleKind kind = ScheduleKind::constant;
  double learning_rate = 0;        ///< the peak rate η
  std::uint64_t total_steps = 0;   ///< updates of the whole run
  std::uint64_t warmup_steps = 0;  ///< updates that climb linearly to η
  std::uint64_t drop_steps = 0;    ///< step: updates between two drops
  double drop_factor = 0.1;        ///< step: what a drop multiplies η by
};

/// The learning rate of each update: linear warm-up to η, then
/// constant: η; step: η · factor^k after k drops, counted from the run's start; cosine: half a
/// cosine from η towards 0 at the run's end (Loshchilov and Hutter, ICLR 2017, without restarts).
class LearningRateSchedule {
 public:
  /// Throws std::invalid_argument for a rate that is negative or not finite, a step schedule
  /// without drop_steps, or a warm-up that does not end before the run does.
  explicit LearningRateSchedule(const ScheduleSettings& settings);

  /// The rate of update `step`, counted from 0.
  [[nodiscard]] double at(std::uint64_t step) const;

 private:
  ScheduleSettings settings_;
};

}  // namespace dnn
