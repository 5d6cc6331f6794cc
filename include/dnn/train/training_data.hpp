#pragma once

#include <cstddef>
#include <optional>

#include "dnn/comm/communicator.hpp"
#include "dnn/comm/rank_grid.hpp"
#include "dnn/data/dataset.hpp"
#include "dnn/data/normalizer.hpp"
#include "dnn/data/sampler.hpp"
#include "dnn/train/config.hpp"

namespace dnn {

/// The data of a run on this rank: one copy a node of the samples, and what was derived from them.
struct TrainingData {
  Dataset train;
  std::optional<Dataset> test;
  Normalizer normalizer;
  Sampler sampler;
  std::size_t batch_size = 0;  ///< global, as used
  double largest_feature = 0;  ///< no normalized feature's magnitude is above it in training

  /// Bytes of this node's copy of the data.
  [[nodiscard]] std::size_t bytes() const;
};

/// Collective over the grid's world: reads and checks the data that `config` names, shares them on
/// each node, splits off the validation set, and computes the normalization of the training set
/// (the same bits at any rank count). Throws AgreedError for bad data.
[[nodiscard]] TrainingData load_training_data(const Config& config, const RankGrid& grid);

/// Collective over `world`: throws AgreedError if a feature of `data` is not finite.
void check_finite(const Communicator& world, const Dataset& data);

}  // namespace dnn
