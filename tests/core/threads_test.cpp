#include "dnn/core/threads.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <vector>

namespace dnn {
namespace {

TEST(ParallelFor, CoversEveryIndexOnceInWholeGrains) {
  for (const int count : {1, 2, 3, 8}) {
    set_threads(count);
    EXPECT_EQ(threads(), count);
    for (const std::size_t size : {0U, 1U, 99U, 100U, 101U, 1000U}) {
      std::vector<std::atomic<int>> seen(size);
      std::atomic<int> calls = 0;
      parallel_for(size, 100, [&](Range range) {
        ++calls;
        EXPECT_EQ(range.begin % 100, 0U);
        for (std::size_t i = range.begin; i < range.end; ++i) {
          ++seen[i];
        }
      });
      for (const auto& times : seen) {
        EXPECT_EQ(times, 1);
      }
      EXPECT_LE(calls, count);
      EXPECT_GE(calls, size > 100 && count > 1 ? 2 : 1);
    }
  }
  set_threads(1);
}

}  // namespace
}  // namespace dnn
