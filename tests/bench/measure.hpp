#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "dnn/core/aligned_buffer.hpp"
#include "support/test_numbers.hpp"

namespace dnn::bench {

/// Reports `amount` per iteration as a rate, "NAME=...G/s" with G = 10^9.
inline void report_rate(benchmark::State& state, const char* name, double amount) {
  state.counters[name] = benchmark::Counter(amount, benchmark::Counter::kIsIterationInvariantRate);
}

/// An argument of the benchmark as an extent.
inline std::size_t extent(const benchmark::State& state, std::size_t index) {
  return static_cast<std::size_t>(state.range(index));
}

/// `count` numbers in [-1, 1) that start on a cache line, as the trainer's buffers do.
inline AlignedBuffer<float> aligned_numbers(std::size_t count, std::uint64_t seed) {
  AlignedBuffer<float> result(count);
  std::ranges::copy(test::numbers<float>(count, seed), result.data());
  return result;
}

}  // namespace dnn::bench
