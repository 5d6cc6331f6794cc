#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "dnn/core/matrix.hpp"

namespace dnn {

/// What the samples of a batch are to give, and how much each of them counts. Owns nothing.
struct Targets {
  std::span<const std::int32_t> classes;  ///< of each sample; empty for tasks with target rows
  MatrixView<const double> rows;          ///< S x M_N: ŷ, of other tasks (see has_target_rows)
  std::span<const double> weights;        ///< of each sample; empty: all are 1

  Targets() = default;
  // NOLINTNEXTLINE(google-explicit-constructor): samples that count alike are the usual case
  Targets(std::span<const std::int32_t> of_samples, std::span<const double> sample_weights = {})
      : classes(of_samples), weights(sample_weights) {}
  // NOLINTNEXTLINE(google-explicit-constructor)
  Targets(const std::vector<std::int32_t>& of_samples) : classes(of_samples) {}
  explicit Targets(MatrixView<const double> of_samples, std::span<const double> sample_weights = {})
      : rows(of_samples), weights(sample_weights) {}

  /// How much sample `s` counts in loss, gradient and metrics.
  [[nodiscard]] double weight(std::size_t s) const { return weights.empty() ? 1 : weights[s]; }
  /// Target `j` of sample `s`; 0 where the sample does not count: its own may be too far from the
  /// others' to be scaled.
  [[nodiscard]] double row_target(std::size_t s, std::size_t j) const {
    return weight(s) > 0 ? rows(s, j) : 0;
  }
  /// The targets of one sample.
  [[nodiscard]] Targets sample(std::size_t s) const {
    Targets one;
    one.classes = classes.empty() ? classes : classes.subspan(s, 1);
    one.rows = rows.rows == 0 ? rows : rows.part({s, s + 1});
    one.weights = weights.empty() ? weights : weights.subspan(s, 1);
    return one;
  }
};

}  // namespace dnn
