#include "dnn/core/permutation.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>
#include <vector>

namespace dnn {
namespace {

TEST(Permutation, HoldsEachElementOnceAndItsInverseFindsIt) {
  for (std::uint64_t count : {1U, 2U, 3U, 4U, 5U, 16U, 17U, 1000U, 4097U}) {
    const Permutation order(count, RandomStream(11, Purpose::shuffle, 0, count));
    std::vector<int> seen(count, 0);
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::uint64_t element = order(i);
      ASSERT_LT(element, count);
      ++seen[element];
      EXPECT_EQ(order.position_of(element), i);
    }
    EXPECT_EQ(seen, std::vector<int>(count, 1));
  }
}

TEST(Permutation, DiffersFromEpochToEpoch) {
  const Permutation first(1000, RandomStream(1, Purpose::shuffle, 0, 1));
  const Permutation second(1000, RandomStream(1, Purpose::shuffle, 0, 2));
  int same = 0;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    same += first(i) == second(i) ? 1 : 0;
  }
  EXPECT_LT(same, 10);
}

// Where each element lands, over many keys, must be uniform: chi-squared over 8 x 8 cells.
TEST(Permutation, PutsEachElementAnywhereEquallyOften) {
  constexpr std::uint64_t count = 8;
  constexpr int keys = 8000;
  std::vector<int> cells(count * count, 0);
  for (int key = 0; key < keys; ++key) {
    const Permutation order(count, RandomStream(static_cast<std::uint64_t>(key), Purpose::split));
    for (std::uint64_t i = 0; i < count; ++i) {
      ++cells[i * count + order(i)];
    }
  }
  const double expected = static_cast<double>(keys) / count;
  double chi_squared = 0;
  for (const int cell : cells) {
    chi_squared += std::pow(cell - expected, 2) / expected;
  }
  EXPECT_LT(chi_squared, 100);  // 49 degrees of freedom: 99.99 % lie below 93.6
}

TEST(Permutation, TakesHugeCounts) {
  const std::uint64_t count = (std::uint64_t{1} << 39) + 12345;
  const Permutation order(count, RandomStream(5, Purpose::shuffle));
  for (std::uint64_t i : {std::uint64_t{0}, count / 2, count - 1}) {
    EXPECT_LT(order(i), count);
    EXPECT_EQ(order.position_of(order(i)), i);
  }
  EXPECT_THROW(Permutation(std::uint64_t{1} << 40, RandomStream(5, Purpose::shuffle)),
               std::invalid_argument);
}

}  // namespace
}  // namespace dnn
