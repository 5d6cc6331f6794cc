#pragma once

#include <cstddef>
#include <optional>

#include "dnn/comm/rank_grid.hpp"
#include "dnn/data/dataset.hpp"
#include "dnn/store/data_settings.hpp"
#include "dnn/tables/read_options.hpp"

namespace dnn {

/// What training reads.
struct DataParts {
  Dataset train;
  std::optional<Dataset> test;
};

/// How `settings` want training data to be read; `wide`: numbers in text are read as double rather
/// than float.
[[nodiscard]] ReadOptions read_options_of(const DataSettings& settings, bool wide);

/// Collective over the grid's world: the leader of each node reads the data that `settings` name,
/// with the threads of all ranks of its node (`threads` a rank; 0: as many as fit its cores), and
/// checks them. Where all nodes see the same files, each leader reads a part of them and has the
/// features of some samples only (Dataset::held); share_dataset completes them. Nothing on other
/// ranks. Throws AgreedError for bad data.
[[nodiscard]] std::optional<DataParts> read_on_leaders(const DataSettings& settings, bool wide,
                                                       std::size_t threads, const RankGrid& grid);

}  // namespace dnn
