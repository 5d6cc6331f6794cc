#include "dnn/core/mean_and_deviation.hpp"

#include <algorithm>
#include <cmath>

namespace dnn {

MeanAndDeviation MeanAndDeviation::of(std::span<const double> values) {
  MeanAndDeviation result;
  if (values.empty()) {
    return result;
  }
  const auto count = static_cast<double>(values.size());
  for (const double value : values) {
    result.mean += value / count;
  }
  // Rounding may have left it beside numbers that are all the same.
  const auto [least, most] = std::ranges::minmax(values);
  result.mean = std::clamp(result.mean, least, most);
  for (const double value : values) {
    result.deviation += (value - result.mean) * (value - result.mean) / count;
  }
  result.deviation = std::sqrt(result.deviation);
  return result;
}

}  // namespace dnn
