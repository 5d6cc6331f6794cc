#include "dnn/train/training_setup.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace dnn {

std::vector<double> class_weights_of(ClassWeights kind, const Communicator& world,
                                     const TrainingData& data) {
  if (kind == ClassWeights::none) {
    return {};
  }
  const Dataset& train = data.train;
  std::vector<std::uint64_t> counts(train.classes(), 0);
  const Range mine = part_of(train.samples, static_cast<std::size_t>(world.size()),
                             static_cast<std::size_t>(world.rank()));
  for (std::size_t i = mine.begin; i < mine.end; ++i) {
    if (data.sampler.is_training(i)) {
      ++counts[static_cast<std::size_t>(train.label_view()[i])];
    }
  }
  world.all_reduce(std::span(counts), Reduction::sum);
  std::vector<double> weights;
  weights.reserve(counts.size());
  for (const std::uint64_t count : counts) {
    // A class that is held out whole is never trained on: its weight is never used.
    weights.push_back(count == 0 ? 0
                                 : static_cast<double>(data.sampler.training_samples()) /
                                       static_cast<double>(counts.size() * count));
  }
  return weights;
}

LearningRateSchedule schedule_of(const OptimizationSettings& settings,
                                 std::size_t steps_per_epoch) {
  const auto steps = [steps_per_epoch](double epochs) {
    return static_cast<std::uint64_t>(std::llround(epochs * static_cast<double>(steps_per_epoch)));
  };
  ScheduleSettings schedule;
  schedule.kind = settings.lr_schedule;
  schedule.learning_rate = settings.learning_rate();
  schedule.total_steps = settings.epochs * steps_per_epoch;
  schedule.warmup_steps =
      std::min(steps(settings.warmup_epochs), static_cast<std::uint64_t>(schedule.total_steps - 1));
  schedule.drop_steps = std::max<std::uint64_t>(1, steps(settings.lr_step_epochs));
  schedule.drop_factor = settings.lr_step_factor;
  return LearningRateSchedule(schedule);
}

}  // namespace dnn
