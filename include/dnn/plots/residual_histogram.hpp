#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "dnn/comm/communicator.hpp"

namespace dnn {

/// Counts numbers in equal bins whose width fits the numbers, without knowing them beforehand.
///
/// Note [Bins that double]
/// Bins are as wide as a power of two, and bin i holds [i w, (i + 1) w). Where a number is outside
/// all bins, pairs of bins become one bin of twice the width. The bins that result are the same in
/// whatever order, and on whichever ranks, the numbers are added.
class ResidualHistogram {
 public:
  /// What is drawn: bins of one width, and what lies below and above them.
  struct Shown {
    double first = 0;  ///< where the first bin begins
    double width = 0;
    std::vector<std::uint64_t> counts;
    std::uint64_t below = 0;
    std::uint64_t above = 0;
  };

  /// Adds a number. One that is not finite is left out.
  void add(double x);

  /// Collective: the counts become those of all ranks.
  void combine(const Communicator& world);

  /// At most `most` bins without the lowest and the highest 0.5 % of the numbers; none without
  /// numbers.
  [[nodiscard]] Shown shown(std::size_t most) const;

 private:
  static constexpr std::int64_t half = 2048;  ///< bins on either side of 0
  static constexpr int least_exponent = -40;

  void widen_to(int exponent);

  int exponent_ = least_exponent;  ///< bins are 2^exponent wide
  std::vector<std::uint64_t> counts_ = std::vector<std::uint64_t>(2 * half);
};

}  // namespace dnn
