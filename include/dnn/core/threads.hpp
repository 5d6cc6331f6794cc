#pragma once

#include <cstddef>
#include <utility>

#include "dnn/core/partition.hpp"

namespace dnn {

/// How many threads the calling thread computes with from now on (>= 1), in the matrix products (oneDNN,
/// OpenBLAS) and in parallel_for. OpenMP's setting, which belongs to the thread that calls.
void set_threads(int threads);

/// How many there are.
[[nodiscard]] int threads();

namespace detail {
void run_in_threads(std::size_t count, std::size_t grain, void (*part)(void*, Range), void* work);
}  // namespace detail

/// Calls `work(range)` for ranges that together are [0, count), each but the last a multiple of `grain`
/// long, in as many threads as there are; at once where one thread would do. `work` must not throw.
template <class Work>
void parallel_for(std::size_t count, std::size_t grain, Work&& work) {
  if (threads() == 1 || count <= grain) {
    work(Range{0, count});
    return;
  }
  detail::run_in_threads(
      count, grain,
      [](void* erased, Range range) {
        (*static_cast<std::remove_reference_t<Work>*>(erased))(range);
      },
      &work);
}

}  // namespace dnn
