#pragma once

#include <vector>

#include "dnn/data/dataset.hpp"

namespace dnn {

/// The most columns that --task numbers takes.
constexpr std::size_t most_numbers = 1000;

/// Moves the targets (samples x outputs, in double) into `data`, which has its samples, its task
/// and the outputs' names. Throws InputError, naming sample and output, for a target that the task
/// does not have: a label is 0 or 1, a distribution's rows are not negative and add up to 1.
void set_targets(Dataset& data, std::vector<double> rows);

/// "target 1", "target 2": the names of outputs that have none.
[[nodiscard]] std::vector<std::string> unnamed_targets(std::size_t count);

}  // namespace dnn
