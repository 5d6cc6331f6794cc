#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

namespace dnn {

/// What the smallest type for all raw values depends on.
struct ValueRange {
  double count = 0;
  double shift = 0;  ///< the first value: sums of what is near to it stay exact enough
  double sum = 0;
  double squares = 0;
  double largest = 0;  ///< magnitude
  bool exact_in_float = true;

  void add(double value) {
    shift = count == 0 ? value : shift;
    const double delta = value - shift;
    ++count;
    sum += delta;
    squares += delta * delta;
    largest = std::max(largest, std::abs(value));
    exact_in_float = exact_in_float && static_cast<double>(static_cast<float>(value)) == value;
  }

  void merge(const ValueRange& other) {
    if (count == 0 || other.count == 0) {
      *this = count == 0 ? other : *this;
      return;
    }
    const double delta = other.shift - shift;
    sum += other.sum + other.count * delta;
    squares += other.squares + 2 * delta * other.sum + other.count * delta * delta;
    count += other.count;
    largest = std::max(largest, other.largest);
    exact_in_float = exact_in_float && other.exact_in_float;
  }

  /// Whether rounding to float changes a value by less than 2^-17 standard deviations, and so a
  /// scaled input by nothing that counts.
  [[nodiscard]] bool fits_float() const {
    constexpr double most_deviations = 256;
    if (largest > std::numeric_limits<float>::max()) {
      return false;
    }
    const double variance = squares / count - (sum / count) * (sum / count);
    return exact_in_float || largest <= most_deviations * std::sqrt(std::max(variance, 0.0));
  }
};

}  // namespace dnn
