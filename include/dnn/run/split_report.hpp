#pragma once

#include <string>
#include <vector>

#include "dnn/options/config.hpp"
#include "dnn/plan/run_plan.hpp"
#include "dnn/store/training_data.hpp"

namespace dnn {

/// Describes, for --dry-run, a network that ranks hold together: the rule by which it is split, and
/// for each layer what this rank holds of it and what it exchanges in an update. Empty where every
/// rank holds all of it.
[[nodiscard]] std::vector<std::string> describe_split(const RunPlan& plan, const Config& config,
                                                      const TrainingData& data);

}  // namespace dnn
