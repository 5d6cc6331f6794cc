#pragma once

#include <atomic>
#include <bit>
#include <cstdint>
#include <span>
#include <type_traits>

namespace dnn {

/// The bits of a magnitude. As unsigned numbers they are ordered as the magnitudes are, infinity
/// above all numbers and NaN above infinity.
template <class T>
using MagnitudeBits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;

/// The largest |value|; NaN if one is NaN, infinity if one is infinite, 0 for none. Compares bits,
/// and computes nothing that could overflow. In as many threads as there are.
[[nodiscard]] float largest_magnitude(std::span<const float> values);
[[nodiscard]] double largest_magnitude(std::span<const double> values);

/// The largest magnitude that any thread has seen; 0 before the first one. NaN counts as the
/// largest.
template <class T>
class LargestOf {
 public:
  void clear() { bits_ = 0; }
  /// `magnitude`: at least 0, or a NaN without a sign.
  void see(T magnitude) {
    const auto bits = std::bit_cast<MagnitudeBits<T>>(magnitude);
    MagnitudeBits<T> seen = bits_.load(std::memory_order_relaxed);
    while (seen < bits && !bits_.compare_exchange_weak(seen, bits)) {
    }
  }
  [[nodiscard]] T value() const { return std::bit_cast<T>(bits_.load()); }

 private:
  std::atomic<MagnitudeBits<T>> bits_ = 0;
};

}  // namespace dnn
