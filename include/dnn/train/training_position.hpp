#pragma once

#include <cstddef>
#include <cstdint>

#include "dnn/checkpoint/checkpoint.hpp"
#include "dnn/comm/communicator.hpp"
#include "dnn/core/task.hpp"
#include "dnn/data/sampler.hpp"
#include "dnn/model/epoch_metrics.hpp"
#include "dnn/nn/softmax.hpp"

namespace dnn {

/// How far a run is: the number of updates done, and the sums of the current epoch.
struct TrainingPosition {
  std::size_t epoch = 1;       ///< the one under way
  std::size_t step = 0;        ///< how many of its updates are done
  LossSums sums;               ///< over this rank's samples of them; rank 0's hold those of before
  std::uint64_t left_out = 0;  ///< samples, over all ranks, of those that did not count
  double learning_rate = 0;    ///< of the last update
  double seconds = 0;          ///< that the epoch took before this process resumed it

  /// How many updates of the whole run are done.
  [[nodiscard]] std::uint64_t updates(const Sampler& sampler) const {
    return (epoch - 1) * sampler.steps() + step;
  }

  /// Collective over `world`: the training's part of the epoch's metrics, on all ranks.
  [[nodiscard]] EpochMetrics metrics(const Communicator& world, const Sampler& sampler,
                                     Task task) const;

  /// Collective over `world`: writes the position into rank 0's `checkpoint`.
  void write(const Communicator& world, const Sampler& sampler, Checkpoint& checkpoint) const;

  /// The position of a checkpoint that all ranks have.
  [[nodiscard]] static TrainingPosition read(const Communicator& world, const Sampler& sampler,
                                             const Checkpoint& checkpoint);
};

}  // namespace dnn
