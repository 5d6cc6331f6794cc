#include "dnn/core/largest_magnitude.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "dnn/core/simd.hpp"
#include "dnn/core/threads.hpp"

namespace dnn {

namespace {

/// Without their signs, the bits of IEEE numbers are ordered as their magnitudes, infinity above
/// all numbers and NaN above infinity.
template <class Bits, class T>
DNN_SIMD_BODY Bits largest_bits_loop(const T* __restrict values, std::size_t count) {
  constexpr Bits without_sign = static_cast<Bits>(~Bits{0}) >> 1;
  Bits largest = 0;
  for (std::size_t i = 0; i < count; ++i) {
    Bits bits = 0;
    std::memcpy(&bits, values + i, sizeof(bits));
    bits &= without_sign;
    largest = bits > largest ? bits : largest;
  }
  return largest;
}
DNN_SIMD std::uint32_t largest_bits(const float* values, std::size_t count) {
  return largest_bits_loop<std::uint32_t>(values, count);
}
DNN_SIMD std::uint64_t largest_bits(const double* values, std::size_t count) {
  return largest_bits_loop<std::uint64_t>(values, count);
}

template <class T>
T largest_of_all(std::span<const T> values) {
  using Bits = decltype(largest_bits(values.data(), 0));
  std::atomic<Bits> largest = 0;
  parallel_for(values.size(), parallel_grain, [&](Range part) {
    const Bits mine = largest_bits(values.data() + part.begin, part.size());
    Bits seen = largest.load();
    while (seen < mine && !largest.compare_exchange_weak(seen, mine)) {
    }
  });
  return std::bit_cast<T>(largest.load());
}

}  // namespace

float largest_magnitude(std::span<const float> values) {
  return largest_of_all(values);
}
double largest_magnitude(std::span<const double> values) {
  return largest_of_all(values);
}

}  // namespace dnn
