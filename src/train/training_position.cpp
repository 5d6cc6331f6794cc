#include "dnn/train/training_position.hpp"

namespace dnn {

EpochMetrics TrainingPosition::metrics(const Communicator& world, const Sampler& sampler,
                                       Task task) const {
  EpochMetrics metrics;
  metrics.epoch = epoch;
  metrics.learning_rate = learning_rate;
  const std::size_t counted = sampler.training_samples() - left_out;
  const double weight = world.sum(sums.weight).value();
  const double correct = world.sum(sums.correct).value();
  metrics.train = {world.sum(sums.loss).value() / weight,
                   has_accuracy(task) ? correct / weight : -1, counted};
  metrics.seconds = seconds;
  metrics.samples_per_second = static_cast<double>(counted) / seconds;
  return metrics;
}

void TrainingPosition::write(const Communicator& world, const Sampler& sampler,
                             Checkpoint& checkpoint) const {
  checkpoint.loss_sum = world.sum(sums.loss);
  checkpoint.correct = world.sum(sums.correct);
  checkpoint.weight = world.sum(sums.weight);
  checkpoint.updates = updates(sampler);
  checkpoint.steps_per_epoch = sampler.steps();
  checkpoint.epoch = epoch;
  checkpoint.step = step;
  checkpoint.left_out = left_out;
  checkpoint.learning_rate = learning_rate;
  checkpoint.epoch_seconds = seconds;
}

TrainingPosition TrainingPosition::read(const Communicator& world, const Sampler& sampler,
                                        const Checkpoint& checkpoint) {
  TrainingPosition position;
  position.epoch = checkpoint.epoch;
  position.step = checkpoint.step;
  position.sums = world.is_root()
                      ? LossSums{checkpoint.loss_sum, checkpoint.correct, checkpoint.weight}
                      : LossSums{};
  if (world.is_root() && !checkpoint.knows_weight) {
    for (std::size_t done = 0; done < position.step; ++done) {
      position.sums.weight += static_cast<double>(sampler.batch_samples(done));
    }
    position.sums.weight += -static_cast<double>(checkpoint.left_out);
  }
  position.left_out = checkpoint.left_out;
  position.learning_rate = checkpoint.learning_rate;
  position.seconds = checkpoint.epoch_seconds;
  return position;
}

}  // namespace dnn
