#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "dnn/comm/communicator.hpp"
#include "dnn/core/exact_sum.hpp"

namespace dnn {

/// Compares probabilities with how often they came true, in 15 equal bins of the probability (Guo
/// et al., "On Calibration of Modern Neural Networks", ICML 2017).
class Calibration {
 public:
  static constexpr std::size_t bins = 15;

  struct Bin {
    std::uint64_t count = 0;
    std::uint64_t right = 0;
    double probability = 0;  ///< the sum of them
  };

  /// Adds one probability, and whether it came true. One outside [0, 1] is left out.
  void add(double probability, bool is_right);

  /// Collective: the bins over all ranks, the same bits on all of them.
  [[nodiscard]] std::vector<Bin> totals(const Communicator& world) const;

 private:
  std::array<std::uint64_t, bins> count_{}, right_{};
  std::array<ExactSum, bins> probability_;
};

/// The expected calibration error: the mean distance between the probability and the part that came
/// true, over the samples of all bins. 0 without samples.
[[nodiscard]] double calibration_error(const std::vector<Calibration::Bin>& bins);

}  // namespace dnn
