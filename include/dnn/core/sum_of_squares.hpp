#pragma once

#include <cstdint>
#include <span>

namespace dnn {

/// Σ x² of numbers none of which is above 2^exponent, without a floating-point sum: each square is
/// cut to 64 bits below (2^exponent)², and integers add up to the same in any order, and over any
/// ranks. 2^30 numbers lose at most 2^-34 of (2^exponent)², which is at most four times the sum
/// where `exponent` is that of the largest.
struct SumOfSquares {
  std::uint64_t high = 0;  ///< in units of (2^exponent)² / 2^32
  std::uint64_t low = 0;   ///< in units of (2^exponent)² / 2^64

  SumOfSquares& operator+=(const SumOfSquares& other);
  /// √Σ x².
  [[nodiscard]] double norm(int exponent) const;
};

/// The least exponent with |x| <= 2^exponent; 0 for 0.
[[nodiscard]] int exponent_above(double x);

/// Of at most 2^31 numbers; so many may be in all the sums that are added up.
[[nodiscard]] SumOfSquares sum_of_squares(std::span<const float> values, int exponent);
[[nodiscard]] SumOfSquares sum_of_squares(std::span<const double> values, int exponent);

}  // namespace dnn
