#pragma once

#include <optional>
#include <vector>

#include "dnn/checkpoint/run_folder.hpp"
#include "dnn/comm/rank_grid.hpp"
#include "dnn/options/config.hpp"
#include "dnn/plan/run_plan.hpp"
#include "dnn/report/reporter.hpp"
#include "dnn/store/training_data.hpp"
#include "dnn/train/cross_validation.hpp"
#include "dnn/train/length_search.hpp"

namespace dnn {

/// The run whose folds are to be trained.
struct FoldRun {
  const Config& config;
  const RunPlan& plan;
  const TrainingData& data;
  const std::optional<FoundLength>& found;  ///< the run's length, where it was searched for
  const RunFolder& folder;                  ///< the same on all ranks, ready
  bool resumes;                             ///< and may have the results already
};

/// Collective over the grid's world: the cross-validation of a run with --folds, before its own
/// training: trains the folds, tells of them, and writes out-of-fold.csv. A run that resumes takes
/// the results that it has written before. Throws AgreedError.
template <class T>
[[nodiscard]] std::vector<FoldResult> run_folds(const FoldRun& run, RankGrid& grid,
                                                Reporter& reporter);

}  // namespace dnn
