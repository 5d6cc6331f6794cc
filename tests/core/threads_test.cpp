#include "dnn/core/threads.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
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

TEST(ParallelTasks, RunsEachOnceAloneInALane) {
  for (const int count : {1, 3}) {
    set_threads(count);
    for (const std::size_t tasks : {0U, 1U, 2U, 20U}) {
      std::vector<std::atomic<int>> seen(tasks);
      std::vector<std::atomic<int>> busy(static_cast<std::size_t>(count));
      parallel_tasks(tasks, [&](std::size_t i, std::size_t lane) {
        EXPECT_EQ(threads(), 1);
        EXPECT_EQ(++busy.at(lane), 1);
        ++seen[i];
        --busy[lane];
      });
      for (const auto& times : seen) {
        EXPECT_EQ(times, 1);
      }
    }
    EXPECT_EQ(threads(), count);
    EXPECT_THROW(parallel_tasks(5,
                                [](std::size_t i, std::size_t) {
                                  if (i == 4) {
                                    throw std::runtime_error("the last");
                                  }
                                }),
                 std::runtime_error);
  }
  set_threads(1);
}

}  // namespace
}  // namespace dnn
