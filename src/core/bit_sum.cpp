#include "dnn/core/bit_sum.hpp"

#include <cstring>

#include "dnn/core/simd.hpp"

namespace dnn {

namespace {

template <class Bits, class T>
DNN_SIMD_BODY Bits sum_loop(const T* elements, std::size_t count) {
  Bits sum = 0;
  for (std::size_t i = 0; i < count; ++i) {
    Bits bits = 0;
    std::memcpy(&bits, elements + i * (sizeof(Bits) / sizeof(T)), sizeof(bits));
    sum += bits;
  }
  return sum;
}
DNN_SIMD std::uint32_t sum_of_floats(const float* elements, std::size_t count) {
  return sum_loop<std::uint32_t>(elements, count);
}
DNN_SIMD std::uint64_t sum_of_doubles(const double* elements, std::size_t count) {
  return sum_loop<std::uint64_t>(elements, count);
}
DNN_SIMD std::uint64_t sum_of_words(const std::byte* bytes, std::size_t count) {
  return sum_loop<std::uint64_t>(bytes, count);
}

}  // namespace

std::uint32_t bit_sum(std::span<const float> elements) {
  return sum_of_floats(elements.data(), elements.size());
}

std::uint64_t bit_sum(std::span<const double> elements) {
  return sum_of_doubles(elements.data(), elements.size());
}

std::uint64_t bit_sum(std::span<const std::byte> bytes) {
  const std::size_t words = bytes.size() / sizeof(std::uint64_t);
  std::uint64_t rest = 0;
  for (const std::byte byte : bytes.subspan(words * sizeof(std::uint64_t))) {
    rest = rest << 8 | std::to_integer<std::uint64_t>(byte);
  }
  return sum_of_words(bytes.data(), words) + rest;
}

}  // namespace dnn
