#include "dnn/core/partition.hpp"

#include <gtest/gtest.h>

#include <algorithm>

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

TEST(ShareOf, OwnersHaveWholePartsOneAfterAnother) {
  for (const std::size_t parts : {0U, 1U, 3U, 8U}) {
    for (const std::size_t owners : {1U, 2U, 3U, 5U, 11U}) {
      for (const std::size_t count : {0U, 1U, 7U, 100U}) {
        std::size_t next = 0;
        for (std::size_t owner = 0; owner < owners; ++owner) {
          const Range share = share_of(count, parts, owners, owner);
          EXPECT_TRUE(share.begin == next || (share.empty() && share.begin == count));
          next = std::max(next, share.end);
          const Range own = part_of(std::max<std::size_t>(parts, 1), owners, owner);
          if (parts > 0 && !own.empty()) {
            EXPECT_EQ(share.begin, part_of(count, parts, own.begin).begin);
            EXPECT_EQ(share.end, part_of(count, parts, own.end - 1).end);
          } else {
            EXPECT_EQ(share.size(), parts > 0 ? 0 : part_of(count, owners, owner).size());
          }
        }
        EXPECT_EQ(next, count);
      }
    }
  }
}

}  // namespace
}  // namespace dnn
