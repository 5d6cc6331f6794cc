#pragma once

#include <span>

namespace dnn {

/// The mean of some numbers and their standard deviation from it (of these numbers, not of what
/// they are drawn from).
struct MeanAndDeviation {
  double mean = 0;
  double deviation = 0;

  /// Of at least one number. NaN among them makes both NaN.
  [[nodiscard]] static MeanAndDeviation of(std::span<const double> values);
};

}  // namespace dnn
