#include "dnn/core/random.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <span>
#include <stdexcept>
#include <vector>

namespace dnn {
namespace {

// The answer was computed by an independent Philox4x32-10 in Python, itself checked with the
// published known answer for key and counter 0; it pins the order of the key's parts too.
TEST(Random, IsPhilox) {
  const RandomStream stream(0x0123456789abcdefULL, Purpose::dropout, 3, 5, 0x1200000007ULL);
  const auto words = stream.block(9);
  const std::array<std::uint32_t, 4> expected = {0x49ad2b13U, 0xf0c5f4ffU, 0xfa09a166U,
                                                 0x99bcc20eU};
  EXPECT_EQ(words, expected);
}

TEST(Random, WordsAreTheBlocksElements) {
  const RandomStream stream(7, Purpose::shuffle);
  for (std::uint64_t i = 0; i < 16; ++i) {
    EXPECT_EQ(stream.word(i), stream.block(static_cast<std::uint32_t>(i / 4))[i % 4]);
  }
}

// The vectorised generator against Random123's, for whole groups, parts of them and the wrap of the
// index.
TEST(Random, BlocksAreTheBlocksOneByOne) {
  const RandomStream stream(0xfedcba9876543210ULL, Purpose::dropout, 9, 77, 0xab00000003ULL);
  for (const std::uint32_t first : {0U, 5U, 1000003U, 0xfffffff0U}) {
    for (std::size_t count = 0; count < 600; count = count < 20 ? count + 1 : count * 5 / 4) {
      std::vector<std::uint32_t> words(count + 1, 42U);
      stream.blocks(first, std::span(words).first(count));
      for (std::size_t i = 0; i < count; ++i) {
        const auto block = stream.block(first + static_cast<std::uint32_t>(i / 4));
        ASSERT_EQ(words[i], block[i % 4]) << "block " << first << " + " << i / 4;
      }
      EXPECT_EQ(words[count], 42U);
    }
  }
}

TEST(Random, EveryPartOfTheKeyCounts) {
  std::set<std::uint32_t> first_words;
  const std::uint64_t far = std::uint64_t{1} << 39;
  for (const RandomStream& stream :
       {RandomStream(1, Purpose::dropout), RandomStream(2, Purpose::dropout),
        RandomStream(1ULL << 40, Purpose::dropout), RandomStream(1, Purpose::shuffle),
        RandomStream(1, Purpose::dropout, 1), RandomStream(1, Purpose::dropout, 0, 1),
        RandomStream(1, Purpose::dropout, 0, 0, 1), RandomStream(1, Purpose::dropout, 0, 0, far)}) {
    first_words.insert(stream.word(0));
  }
  EXPECT_EQ(first_words.size(), 8U);
}

TEST(Random, RefusesKeysThatWouldMeetOtherStreams) {
  EXPECT_THROW(RandomStream(1, Purpose::dropout, 1U << 24), std::invalid_argument);
  EXPECT_THROW(RandomStream(1, Purpose::dropout, 0, 1U << 24), std::invalid_argument);
  EXPECT_THROW(RandomStream(1, Purpose::dropout, 0, 0, 1ULL << 40), std::invalid_argument);
}

TEST(Random, UnitIntervalIsOpenAndUniform) {
  EXPECT_GT(unit_interval(0), 0.0);
  EXPECT_LT(unit_interval(0xffffffffU), 1.0);
  const RandomStream stream(3, Purpose::initial_values);
  constexpr std::uint64_t count = 200000;
  double sum = 0;
  double squares = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const double u = unit_interval(stream.word(i));
    sum += u;
    squares += u * u;
  }
  const double mean = sum / count;
  EXPECT_NEAR(mean, 0.5, 4 * std::sqrt(1.0 / 12 / count));
  EXPECT_NEAR(squares / count - mean * mean, 1.0 / 12, 0.001);
}

}  // namespace
}  // namespace dnn
