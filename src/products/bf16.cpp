#include "dnn/products/bf16.hpp"

#include <stdexcept>

#include "dnn/core/simd.hpp"
#include "dnn/core/threads.hpp"

#if defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

namespace dnn {

namespace {

DNN_SIMD void convert(const float* __restrict from, Bf16* __restrict to, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    to[i] = to_bf16(from[i]);
  }
}

}  // namespace

void to_bf16(std::span<const float> from, std::span<Bf16> to) {
  if (from.size() != to.size()) {
    throw std::invalid_argument("to_bf16: the lengths differ");
  }
  parallel_for(from.size(), parallel_grain, [&](Range part) {
    convert(from.data() + part.begin, to.data() + part.begin, part.size());
  });
}

bool has_bf16_unit() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512bf16") != 0;  // a processor with amx-bf16 has this too
#elif defined(__aarch64__) && defined(__linux__)
  constexpr unsigned long bf16 = 1UL << 14;  // HWCAP2_BF16, which older headers lack
  return (getauxval(AT_HWCAP2) & bf16) != 0;
#else
  return false;
#endif
}

}  // namespace dnn
