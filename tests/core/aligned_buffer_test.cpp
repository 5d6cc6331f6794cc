#include "dnn/core/aligned_buffer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "dnn/core/matrix.hpp"

namespace dnn {
namespace {

TEST(AlignedBuffer, StartsZeroedOnACacheLine) {
  const AlignedBuffer<float> buffer(33);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer.data()) % 64, 0U);
  for (const float x : buffer.span()) {
    EXPECT_EQ(x, 0.0F);
  }
}

TEST(AlignedBuffer, ALargeOneStartsZeroedOnALargePage) {
  const AlignedBuffer<float> buffer((std::size_t{5} << 20) / sizeof(float) + 3);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer.data()) % (2U << 20), 0U);
  EXPECT_TRUE(
      std::all_of(buffer.span().begin(), buffer.span().end(), [](float x) { return x == 0.0F; }));
}

TEST(AlignedBuffer, MovesItsMemory) {
  AlignedBuffer<double> buffer(4);
  buffer[2] = 5;
  const double* data = buffer.data();
  const AlignedBuffer<double> moved = std::move(buffer);
  EXPECT_EQ(moved.data(), data);
  EXPECT_EQ(moved[2], 5);
}

TEST(AlignedBuffer, MayBeEmpty) {
  EXPECT_EQ(AlignedBuffer<float>(0).size(), 0U);
}

TEST(MatrixView, AddressesRowsAndTheirFirstFew) {
  double elements[6] = {0, 1, 2, 3, 4, 5};
  const MatrixView<double> view{elements, 3, 2};
  EXPECT_EQ(view(2, 1), 5);
  EXPECT_EQ(view.row(1)[0], 2);
  EXPECT_EQ(view.top(2).size(), 4U);
  const MatrixView<const double> constant = view;
  EXPECT_EQ(constant(0, 1), 1);
}

}  // namespace
}  // namespace dnn
