#pragma once

#include <vector>

#include "dnn/options/option_table.hpp"

namespace dnn {

/// The rows of option_table() on what a run shows of itself while it trains.
[[nodiscard]] std::vector<Option> progress_options();

}  // namespace dnn
