#pragma once

#include <cstddef>
#include <memory>
#include <optional>

#include "dnn/comm/rank_grid.hpp"
#include "dnn/data/dataset.hpp"
#include "dnn/store/data_digest.hpp"
#include "dnn/store/data_settings.hpp"
#include "dnn/store/held_rows.hpp"
#include "dnn/store/placement.hpp"

namespace dnn {

/// The data of a run, stored where all ranks of a node can read them.
struct SharedParts {
  Dataset train;
  DataDigest digest;  ///< of `train`
  std::optional<Dataset> test;
  DataDigest test_digest = {};
  /// Who holds which samples of `train` and of `test`, where the nodes share them out; else null.
  std::shared_ptr<const HeldRows> held = nullptr, held_test = nullptr;
  PlacementChoice placement = {};
};

/// Collective over the grid's world: reads the data that `settings` name and puts them where
/// choose_placement says; `wide` and `threads` as in read_on_leaders. All nodes have the same data
/// then. Throws AgreedError.
[[nodiscard]] SharedParts read_and_place(const DataSettings& settings, bool wide,
                                         std::size_t threads, const RankGrid& grid);

}  // namespace dnn
