#include "dnn/core/bit_sum.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

namespace dnn {
namespace {

/// Expects another sum after each bit of `elements` alone has flipped, and the parts to add up.
template <class T>
void expect_sensitive(std::vector<T> elements) {
  const std::span<const T> view(elements);
  const auto sum = bit_sum(view);
  for (std::size_t cut = 0; cut <= elements.size(); ++cut) {
    using Sum = decltype(bit_sum(view));
    if constexpr (sizeof(T) > 1) {
      EXPECT_EQ(static_cast<Sum>(bit_sum(view.first(cut)) + bit_sum(view.subspan(cut))), sum);
    }
  }
  auto* bytes = reinterpret_cast<unsigned char*>(elements.data());
  for (std::size_t bit = 0; bit < 8 * sizeof(T) * elements.size(); ++bit) {
    bytes[bit / 8] ^= static_cast<unsigned char>(1U << bit % 8);
    EXPECT_NE(bit_sum(view), sum) << bit;
    bytes[bit / 8] ^= static_cast<unsigned char>(1U << bit % 8);
  }
  EXPECT_EQ(bit_sum(view), sum);
}

TEST(BitSum, DiffersAfterAnyBitHasFlipped) {
  std::vector<float> floats;
  std::vector<double> doubles;
  std::vector<std::byte> bytes;
  for (int i = 0; i < 37; ++i) {
    floats.push_back(static_cast<float>(i) / 3 - 5);
    doubles.push_back(i / 7.0 - 2);
    bytes.push_back(static_cast<std::byte>(255 - i));
  }
  expect_sensitive(floats);
  expect_sensitive(doubles);
  expect_sensitive(bytes);
  EXPECT_EQ(bit_sum(std::span<const float>()), 0U);
}

TEST(BitSum, IsTheSumOfTheBits) {
  EXPECT_EQ(bit_sum(std::span<const float>(std::vector<float>{1.0F, 2.0F})),
            0x3f800000U + 0x40000000U);
  EXPECT_EQ(bit_sum(std::span<const double>(std::vector<double>{1.0})), 0x3ff0000000000000U);
}

}  // namespace
}  // namespace dnn
