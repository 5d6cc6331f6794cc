#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "dnn/model/evaluation.hpp"

namespace dnn {

/// What one epoch did, counted over all ranks.
struct EpochMetrics {
  std::size_t epoch = 0;     ///< from 1
  double learning_rate = 0;  ///< of its last update
  /// The mean over the epoch's updates of what was minimized (label smoothing, class weights and
  /// dropout included), and the accuracy of those forward passes.
  Evaluation train;
  std::optional<Evaluation> validation;
  double seconds = 0;  ///< training, without evaluation
  double evaluation_seconds = 0;
  double samples_per_second = 0;  ///< of training
  std::string sha256;  ///< of the parameters after it, see parameters_sha256; empty: unknown

  [[nodiscard]] nlohmann::ordered_json to_json() const;
};

}  // namespace dnn
