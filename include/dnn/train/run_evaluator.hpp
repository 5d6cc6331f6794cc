#pragma once

// Chooses the samples that a run is judged by (validation or test) and evaluates on them.

#include <cstddef>
#include <functional>
#include <optional>

#include "dnn/comm/rank_grid.hpp"
#include "dnn/model/evaluation.hpp"
#include "dnn/store/training_data.hpp"
#include "dnn/train/evaluator.hpp"

namespace dnn {

/// Evaluates the network of a run on the samples that it is judged by. Collective over the grid's
/// world.
template <class T>
class RunEvaluator {
 public:
  /// The most samples that are computed at a time.
  static constexpr std::size_t most_rows = 256;

  /// `part`: what this rank holds of the network. `grid` and `data` must outlive the evaluation.
  RunEvaluator(const RankGrid& grid, const ParameterLayout& part, const TrainingData& data);

  /// On the validation set; nothing where there is none. `between` as in Evaluator::run.
  [[nodiscard]] std::optional<Evaluation> validate(Network<T>& network,
                                                   const std::function<void()>& between);

  /// On the test data, or else on the validation set, or else on the training set. `confusion`
  /// takes this rank's part of the counts.
  [[nodiscard]] Evaluation judge(Network<T>& network, Confusion& confusion);

 private:
  const RankGrid& grid_;
  ParameterLayout part_;
  const TrainingData& data_;
  std::optional<Evaluator<T>> validator_;
};

}  // namespace dnn
