#pragma once

#include "dnn/comm/rank_grid.hpp"
#include "dnn/options/config.hpp"
#include "dnn/store/training_data.hpp"

namespace dnn {

/// Collective over the grid's world: load_training_data as `config` needs it. Throws AgreedError
/// for bad data, and where --early-stop has no validation set.
[[nodiscard]] TrainingData load_data(const Config& config, const RankGrid& grid);

/// The same, and what the data decide is set in `config`, see choose_defaults.
[[nodiscard]] TrainingData load_data_and_choose(Config& config, const RankGrid& grid);

/// Collective over the grid's world: the same from data that are there already.
[[nodiscard]] TrainingData use_data_and_choose(SharedParts parts, Config& config,
                                               const RankGrid& grid);

}  // namespace dnn
