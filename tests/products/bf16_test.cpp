#include "dnn/products/bf16.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

namespace dnn {
namespace {

Bf16 bf16(std::uint32_t bits) {
  return {static_cast<std::uint16_t>(bits)};
}

std::vector<Bf16> convert(const std::vector<float>& from) {
  std::vector<Bf16> to(from.size());
  to_bf16(from, to);
  return to;
}

TEST(Bf16, EveryValueComesBackFromFloatAsItWas) {
  std::vector<float> all;
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    all.push_back(to_float(bf16(bits)));
  }
  const std::vector<Bf16> back = convert(all);
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    if (std::isnan(all[bits])) {
      ASSERT_TRUE(std::isnan(to_float(back[bits]))) << bits;
      ASSERT_EQ(back[bits].bits | 0x40, bits | 0x40) << "sign and payload stay";
    } else {
      ASSERT_EQ(back[bits].bits, bits);
    }
  }
}

// Between each value and the next larger in magnitude: below the middle it stays, above it moves
// on, in the middle it goes to the even one. The last step of each sign leads to infinity.
TEST(Bf16, RoundsToNearestAndTiesToEven) {
  std::vector<std::uint32_t> lower;
  std::vector<float> below, middle, above;
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    if ((bits & 0x7fff) < 0x7f80) {
      lower.push_back(bits);
      below.push_back(std::bit_cast<float>(bits << 16 | 0x7fff));
      middle.push_back(std::bit_cast<float>(bits << 16 | 0x8000));
      above.push_back(std::bit_cast<float>(bits << 16 | 0x8001));
    }
  }
  const std::vector<Bf16> down = convert(below), tie = convert(middle), up = convert(above);
  for (std::size_t i = 0; i < lower.size(); ++i) {
    ASSERT_EQ(down[i].bits, lower[i]);
    ASSERT_EQ(tie[i].bits, lower[i] + (lower[i] & 1));
    ASSERT_EQ(up[i].bits, lower[i] + 1);
  }
}

TEST(Bf16, KeepsWhatIsNotANumber) {
  // The second NaN has its payload in the lower half alone: cut off plainly it would be infinity.
  for (const std::uint32_t bits :
       {0x7fc00000U, 0x7f800001U, 0xff80ffffU, 0x7fffffffU, 0xffffffffU}) {
    EXPECT_TRUE(std::isnan(to_float(to_bf16(std::bit_cast<float>(bits))))) << bits;
  }
  constexpr float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(to_float(to_bf16(infinity)), infinity);
  EXPECT_EQ(to_float(to_bf16(-infinity)), -infinity);
}

TEST(Bf16, ConvertsAnyLength) {
  for (std::size_t count = 0; count < 70; ++count) {
    std::vector<float> from(count);
    for (std::size_t i = 0; i < count; ++i) {
      from[i] = static_cast<float>(i) * 1.001F;
    }
    const std::vector<Bf16> to = convert(from);
    for (std::size_t i = 0; i < count; ++i) {
      ASSERT_EQ(to[i].bits, to_bf16(from[i]).bits);
    }
  }
}

TEST(Bf16, RefusesLengthsThatDiffer) {
  std::vector<float> from(3);
  std::vector<Bf16> to(2);
  EXPECT_THROW(to_bf16(from, to), std::invalid_argument);
}

}  // namespace
}  // namespace dnn
