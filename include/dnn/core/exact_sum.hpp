#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace dnn {

/// A sum of doubles without any rounding: the same bits in whatever order, and split over whichever
/// ranks, it is taken. A fixed-point number wide enough for every double (Kulisch's long
/// accumulator), in digits of 32 bits that are kept in 64, so that carries can wait and the digits
/// of several sums are added by themselves.
class ExactSum {
 public:
  /// Enough for 2^-1074 up to 2^1024, and for 2^31 ranks' carries above it.
  static constexpr std::size_t digits = 67;
  /// The words of a sum: its digits, and what it has met of NaN and infinities.
  static constexpr std::size_t words = digits + 1;

  ExactSum() = default;
  /// The number alone. Implicit: a sum of one number is that number.
  ExactSum(double x) { *this += x; }

  /// A NaN or an infinity makes the value NaN.
  ExactSum& operator+=(double x);
  ExactSum& operator+=(const ExactSum& other);

  /// The sum, rounded once, to the nearest double (of two, to the even one).
  [[nodiscard]] double value() const;

  /// The sum as few doubles that add up to it exactly, the largest first; empty for 0.
  [[nodiscard]] std::vector<double> expansion() const;

  /// Calls `add(words)`, which adds to each of these words the other ranks' (MPI_SUM).
  template <class Add>
  void combine(Add&& add) {
    carry();
    add(std::span(words_));
    pending_ = most_pending;
  }

 private:
  static constexpr std::uint32_t most_pending = std::uint32_t{1} << 30;
  void carry();

  std::array<std::int64_t, words> words_{};  ///< digit i in units of 2^(32 i - 1074)
  std::uint32_t pending_ = 0;                ///< additions since the digits were carried
};

}  // namespace dnn
