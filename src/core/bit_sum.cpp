#include "dnn/core/bit_sum.hpp"

#include <cstring>

#include "dnn/core/simd.hpp"

namespace dnn {

namespace {

template <class Bits, class T>
DNN_SIMD_BODY std::uint64_t sum_loop(const T* elements, std::size_t count) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < count; ++i) {
    Bits bits = 0;
    std::memcpy(&bits, elements + i, sizeof(bits));
    sum += bits;
  }
  return sum;
}

}  // namespace

DNN_SIMD std::uint64_t bit_sum(const float* elements, std::size_t count) {
  return sum_loop<std::uint32_t>(elements, count);
}
DNN_SIMD std::uint64_t bit_sum(const double* elements, std::size_t count) {
  return sum_loop<std::uint64_t>(elements, count);
}

}  // namespace dnn
