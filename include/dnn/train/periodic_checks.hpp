#pragma once

#include <cstdint>
#include <optional>

#include "dnn/comm/rank_grid.hpp"
#include "dnn/store/data_watch.hpp"
#include "dnn/store/training_data.hpp"
#include "dnn/train/distributed_model.hpp"
#include "dnn/train/gradient_check.hpp"
#include "dnn/train/training_position.hpp"

namespace dnn {

/// The checks of --verify-every: of the parameters, of the gradients that ranks compute, and of the
/// training data in memory.
template <class T>
class PeriodicChecks {
 public:
  /// `updates`: between two checks; 0: there are none. `products_are_exact`: see GradientCheck. All
  /// references must outlive the checks.
  PeriodicChecks(std::uint64_t updates, const RankGrid& grid, const TrainingData& data,
                 DistributedModel<T>& model, bool products_are_exact);

  /// Collective over the grid's world, after the update before `position`, with which the run has
  /// had `updates`: checks, if it is time to. Throws std::runtime_error on all ranks where
  /// something is damaged.
  void after_update(const TrainingPosition& position, std::uint64_t updates);

 private:
  void check_data();

  const std::uint64_t updates_;
  const RankGrid& grid_;
  const TrainingData& data_;
  DistributedModel<T>& model_;
  GradientCheck<T> gradients_;
  std::optional<DataWatch> data_watch_;  ///< from the first check on
};

}  // namespace dnn
