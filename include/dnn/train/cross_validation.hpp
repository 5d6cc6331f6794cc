#pragma once

// How good networks are on samples that they were not trained on: fold after fold.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "dnn/comm/rank_grid.hpp"
#include "dnn/core/mean_and_deviation.hpp"
#include "dnn/model/evaluation.hpp"
#include "dnn/store/training_data.hpp"
#include "dnn/train/model_plan.hpp"
#include "dnn/train/trainer_settings.hpp"

namespace dnn {

/// What came of one fold.
struct FoldResult {
  std::size_t epochs = 0;  ///< that its network was trained for
  Evaluation evaluation;   ///< on the samples left out

  /// "accuracy", "rmse", ...: the loss, and all figures that the task has.
  [[nodiscard]] std::vector<Figure> all_figures() const;
  [[nodiscard]] nlohmann::ordered_json to_json() const;
  /// The same back. Throws nlohmann::json::exception for anything else.
  [[nodiscard]] static FoldResult from_json(const nlohmann::ordered_json& json);
};

/// A figure over the folds.
struct FoldSpread {
  std::string name;
  MeanAndDeviation over_folds;
};

/// The figures over the folds that have them, in the order in which the folds name them.
[[nodiscard]] std::vector<FoldSpread> spread_of(const std::vector<FoldResult>& folds);

/// What the networks of a cross-validation say of the samples that their folds left out.
struct OutOfFold {
  std::vector<FoldResult> folds;            ///< the same on all ranks
  std::vector<std::uint32_t> fold_of;       ///< of each sample of the data set, on all ranks
  std::vector<std::uint64_t> samples = {};  ///< whose outputs this rank has
  /// A row for each: what the last layer gives; numbers in the data's unit.
  std::vector<double> outputs = {};
  /// Labels: of each fold that this rank has a part in, from which probability each is given.
  std::vector<std::vector<double>> label_thresholds = {};
};

/// What a cross-validation goes by; all references must outlive it.
struct CrossValidation {
  const TrainerSettings& settings;  ///< with the number of folds
  std::size_t length_splits;  ///< the length of training is searched for on so many splits; 0: not
  bool side_by_side;          ///< see Note [Folds side by side]
  const ModelPlan& plan;
  const TrainingData& data;
};

/// Collective over the grid's world: for each fold trains a network on the samples that it does not
/// leave out, as a run on these alone would (validation set, early stop, the search for the length,
/// scaling), and judges it by the others. `done` is told each fold's result, in the order of the
/// folds, on all ranks. Updates that are not finite are treated as settings.on_nonfinite says, see
/// without_checkpoints. Throws AgreedError.
///
/// Note [Folds side by side]
/// Small networks and batches leave little for several ranks to share. So as many folds as there
/// are ranks are trained at a time, each by a group of ranks of its own, which exchange nothing
/// with the others; when fewer folds than ranks are left, the groups grow. The result does not
/// depend on the groups where a network has the same bits at any number of ranks. Where it does not
/// (`side_by_side` is then false), or where ranks hold a network together, all ranks train one fold
/// after the other.
template <class T>
[[nodiscard]] OutOfFold cross_validate(
    const CrossValidation& what, RankGrid& grid,
    const std::function<void(std::size_t fold, const FoldResult&)>& done);

/// How many folds are trained at a time when `left` folds are left.
[[nodiscard]] std::size_t folds_at_a_time(std::size_t left, std::size_t ranks, bool side_by_side);

}  // namespace dnn
