#pragma once

// Parses the command line of dnn_predict into a PredictConfig.

#include <optional>
#include <string>

#include "dnn/run/run_prediction.hpp"

namespace dnn {

/// A command line that asks for a prediction, or for a text to print instead (--help, --version).
struct PredictOptions {
  PredictConfig config;
  std::optional<std::string> print;
};

/// Reads the command line of dnn_predict. Throws InputError for anything unknown (naming the
/// nearest known option) or unusable.
[[nodiscard]] PredictOptions parse_predict_options(int argc, const char* const* argv);

}  // namespace dnn
