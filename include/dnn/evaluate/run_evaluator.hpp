#pragma once

// Chooses the samples that a run is judged by (validation or test) and evaluates on them.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <vector>

#include "dnn/comm/rank_grid.hpp"
#include "dnn/evaluate/evaluator.hpp"
#include "dnn/evaluate/importance.hpp"
#include "dnn/model/evaluation.hpp"
#include "dnn/store/training_data.hpp"

namespace dnn {

/// Evaluates the network of a run on the samples that it is judged by. Collective over the grid's
/// world.
template <class T>
class RunEvaluator {
 public:
  /// The most samples that are computed at a time.
  static constexpr std::size_t most_rows = 256;

  /// `part`: what this rank holds of the network. `grid` and `data` must outlive the evaluation.
  /// `seed`: of what is drawn of the samples to be plotted.
  RunEvaluator(const RankGrid& grid, const ParameterLayout& part, const TrainingData& data,
               std::uint64_t seed);

  /// On the validation set; nothing where there is none. `between` as in Evaluator::run.
  [[nodiscard]] std::optional<Evaluation> validate(Network<T>& network,
                                                   const std::function<void()>& between);

  /// From now on labels are given by thresholds that suit this network on the validation set, see
  /// LabelThresholds.
  void choose_thresholds(Network<T>& network);
  /// Those by which labels are given; empty: 1/2.
  [[nodiscard]] const std::vector<double>& thresholds() const { return outputs_.label_thresholds; }

  /// On the samples that a fold leaves out, or else on the test data, or else on the validation
  /// set, or else on the training set. `confusion` takes this rank's part of the counts; `plots`
  /// becomes, on rank 0, what make_plots says of these samples; `sink` as in Evaluator::run.
  [[nodiscard]] Evaluation judge(Network<T>& network, Confusion& confusion,
                                 nlohmann::ordered_json* plots = nullptr,
                                 const OutputSink<T>& sink = {});

  /// Which columns the network needs to predict those samples, see permutation_importance.
  [[nodiscard]] Importance importance(Network<T>& network, const ImportanceSettings& settings);

 private:
  [[nodiscard]] JudgedSamples judged() const;
  [[nodiscard]] JudgedSamples validation_samples() const;
  [[nodiscard]] EvaluationInputs inputs(std::size_t window_bytes) const;

  const RankGrid& grid_;
  ParameterLayout part_;
  const TrainingData& data_;
  std::uint64_t seed_;
  Dataset outputs_;  ///< the training data, with the thresholds
  std::optional<Evaluator<T>> validator_;
};

}  // namespace dnn
