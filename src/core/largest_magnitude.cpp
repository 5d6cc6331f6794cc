#include "dnn/core/largest_magnitude.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "dnn/core/simd.hpp"
#include "dnn/core/threads.hpp"

namespace dnn {

namespace {

template <class T>
DNN_SIMD_BODY MagnitudeBits<T> largest_bits_loop(const T* __restrict values, std::size_t count) {
  using Bits = MagnitudeBits<T>;
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
  return largest_bits_loop(values, count);
}
DNN_SIMD std::uint64_t largest_bits(const double* values, std::size_t count) {
  return largest_bits_loop(values, count);
}

template <class T>
T largest_of_all(std::span<const T> values) {
  LargestOf<T> largest;
  parallel_for(values.size(), parallel_grain, [&](Range part) {
    largest.see(std::bit_cast<T>(largest_bits(values.data() + part.begin, part.size())));
  });
  return largest.value();
}

}  // namespace

float largest_magnitude(std::span<const float> values) {
  return largest_of_all(values);
}
double largest_magnitude(std::span<const double> values) {
  return largest_of_all(values);
}

}  // namespace dnn
