#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "dnn/train/layer_norms.hpp"

namespace dnn {

/// The result of one update of a run, recomputed by --replay.
struct ReplayedUpdate {
  std::uint64_t update = 0;  ///< of the whole run; as epoch and step, from 1
  std::size_t epoch = 0;
  std::size_t step = 0;  ///< of the epoch
  std::size_t samples = 0;
  double learning_rate = 0;
  /// Whether it counts; if not, its numbers are not finite, and the parameters are as before.
  bool finite = true;
  double loss = 0;      ///< the mean of what was minimized; NaN where the update does not count
  double accuracy = 0;  ///< of that forward pass; so too
  /// dW and dB, summed over all samples, before any clipping: what the update was made from. Where
  /// it does not count, added up in the order of the ranks.
  std::vector<LayerNorms> gradients;
  std::vector<LayerNorms> parameters;  ///< W and B after the update
  /// Of these, or of their averages where parameters are averaged, see parameters_sha256.
  std::string sha256;
  std::vector<std::string> findings;  ///< on rank 0, see gather_findings; none where it is finite

  /// Numbers that JSON does not have are texts: "nan", "inf".
  [[nodiscard]] nlohmann::ordered_json to_json() const;
  [[nodiscard]] std::vector<std::string> to_lines() const;
};

}  // namespace dnn
