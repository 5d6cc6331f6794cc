#pragma once

#include <cstdint>
#include <vector>

namespace dnn::test {

/// `count` different numbers in [-1, 1), the same in every run: a linear congruential generator of
/// its own, so that tests do not lean on what they test.
template <class T>
std::vector<T> numbers(std::size_t count, std::uint64_t seed) {
  std::vector<T> result(count);
  std::uint64_t state = seed * 0x9e3779b97f4a7c15U + 1;
  for (T& x : result) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    x = static_cast<T>(static_cast<double>(state >> 33) * 0x1p-30 - 1);
  }
  return result;
}

}  // namespace dnn::test
