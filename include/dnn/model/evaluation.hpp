#pragma once

// The metrics of an evaluation: what models and summaries record.

#include <cstdint>
#include <map>
#include <utility>

namespace dnn {

/// What a model does on a set of samples, counted over all ranks.
struct Evaluation {
  double loss = 0;      ///< mean cross-entropy, without label smoothing and class weights
  double accuracy = 0;  ///< the part of the samples whose largest logit is their label's
  std::uint64_t samples = 0;
  /// The part of the samples whose label's logit is one of the 5 largest; -1 where nobody asked.
  double top5_accuracy = -1;
};

/// How often samples of a class (first) were taken for a class (second), where that is not never.
using Confusion = std::map<std::pair<std::int32_t, std::int32_t>, std::uint64_t>;

}  // namespace dnn
