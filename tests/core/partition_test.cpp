#include "dnn/core/partition.hpp"

#include <gtest/gtest.h>

namespace dnn {
namespace {

TEST(Partition, CoversEveryElementOnceForAnyCounts) {
  for (std::size_t count : {0U, 1U, 2U, 7U, 8U, 63U, 64U, 1000U}) {
    for (std::size_t parts : {1U, 2U, 3U, 5U, 7U, 8U, 64U, 1001U}) {
      std::size_t next = 0;
      for (std::size_t i = 0; i < parts; ++i) {
        const Range range = part_of(count, parts, i);
        EXPECT_EQ(range.begin, next);
        EXPECT_LE(range.size(), count / parts + 1);
        EXPECT_GE(range.size(), count / parts);
        next = range.end;
      }
      EXPECT_EQ(next, count);
    }
  }
}

TEST(Partition, PartsInGrainsBeginAtMultiplesAndCoverEveryElementOnce) {
  for (std::size_t count : {0U, 1U, 15U, 16U, 17U, 100U}) {
    for (std::size_t parts : {1U, 2U, 3U, 8U}) {
      std::size_t next = 0;
      for (std::size_t i = 0; i < parts; ++i) {
        const Range range = part_in_grains(count, 16, parts, i);
        EXPECT_EQ(range.begin, next);
        EXPECT_TRUE(range.begin % 16 == 0 || range.empty());
        EXPECT_LE(range.size(), (count / 16 / parts + 1) * 16);
        next = range.end;
      }
      EXPECT_EQ(next, count);
    }
  }
}

TEST(Partition, IntersectionOfRanges) {
  EXPECT_EQ(intersect({2, 8}, {5, 20}), (Range{5, 8}));
  EXPECT_TRUE(intersect({2, 4}, {4, 6}).empty());
  EXPECT_TRUE(intersect({7, 9}, {1, 3}).empty());
}

}  // namespace
}  // namespace dnn
