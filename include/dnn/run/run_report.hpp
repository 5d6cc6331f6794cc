#pragma once

#include <string>
#include <vector>

#include "dnn/checkpoint/run_folder.hpp"
#include "dnn/options/config.hpp"
#include "dnn/plan/run_plan.hpp"
#include "dnn/run/run_summary.hpp"
#include "dnn/store/training_data.hpp"
#include "dnn/train/training_result.hpp"

namespace dnn {

// The lines that a run prints on standard output: its plan at the start, its result at the end.

/// Ranks, bits, data, network and training.
[[nodiscard]] std::vector<std::string> describe(const RunPlan& plan, const Config& config,
                                                const TrainingData& data);

/// What --dry-run adds: each rank's share and memory.
[[nodiscard]] std::vector<std::string> describe_shares(const RunPlan& plan,
                                                       const TrainingData& data);

/// How good networks of the length that was found were on samples that they did not see.
[[nodiscard]] std::string describe_length(const FoundLength& found);

/// The samples that a run is judged by: "test", "validation" or "training".
[[nodiscard]] std::string evaluated_set(const TrainingData& data);

/// The result of a run that has trained for all epochs or stopped early.
[[nodiscard]] std::vector<std::string> describe_result(const RunFolder& folder,
                                                       const Config& config,
                                                       const TrainingResult& result,
                                                       const FinalFigures& figures);

/// By what command a run that is stopped goes on.
[[nodiscard]] std::string how_to_resume(const Config& config, const RunFolder& folder);

}  // namespace dnn
