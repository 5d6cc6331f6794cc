#pragma once

// What a run tells of its folds: on screen, in summary.json and in the record that a resumed run
// reads.

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "dnn/checkpoint/run_folder.hpp"
#include "dnn/options/config.hpp"
#include "dnn/plan/run_plan.hpp"
#include "dnn/store/training_data.hpp"
#include "dnn/train/cross_validation.hpp"

namespace dnn {

/// For summary.json: the number of folds, mean and deviation of each figure over them, and the
/// figures of each fold.
[[nodiscard]] nlohmann::ordered_json to_json(const std::vector<FoldResult>& folds);

/// Before they are trained: how many there are, how large, and how many go side by side.
[[nodiscard]] std::string describe_folds(const Config& config, const RunPlan& plan,
                                         const TrainingData& data);
/// One of `count` folds, the first is 0.
[[nodiscard]] std::string describe_fold(std::size_t fold, std::size_t count,
                                        const FoldResult& result);
/// Mean and deviation of each figure.
[[nodiscard]] std::string describe_spread(const std::vector<FoldResult>& folds);

/// Writes the results of the folds of a run of this configuration, for a run that resumes. Throws
/// FileError.
void write_fold_record(const RunFolder& folder, const Config& config,
                       const std::vector<FoldResult>& folds);
/// The results that an earlier part of the run has written; nothing where they cannot be read, are
/// of another number of folds or epochs, or where the predictions out of fold are gone.
[[nodiscard]] std::optional<std::vector<FoldResult>> read_fold_record(const RunFolder& folder,
                                                                      const Config& config);

}  // namespace dnn
