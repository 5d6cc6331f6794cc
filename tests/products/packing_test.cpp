#include "dnn/products/packing.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "support/test_numbers.hpp"

namespace dnn {
namespace {

template <class T>
class PackingOf : public testing::Test {};
using Elements = testing::Types<float, double>;
TYPED_TEST_SUITE(PackingOf, Elements);

// Extents with whole blocks of vectors and without; nothing outside of the matrix is written.
TYPED_TEST(PackingOf, TransposesEveryExtent) {
  using T = TypeParam;
  constexpr std::size_t most = 19;
  constexpr std::size_t stride = most + 2;
  const auto from = test::numbers<T>(most * stride, 1);
  for (std::size_t rows = 0; rows <= most; ++rows) {
    for (std::size_t cols = 0; cols <= most; ++cols) {
      std::vector<T> to(most * stride, T{9});
      transpose(from.data(), stride, to.data(), stride, rows, cols);
      for (std::size_t i = 0; i < most; ++i) {
        for (std::size_t j = 0; j < stride; ++j) {
          ASSERT_EQ(to[i * stride + j], i < rows && j < cols ? from[j * stride + i] : T{9})
              << rows << " x " << cols << " at " << i << ", " << j;
        }
      }
    }
  }
}

}  // namespace
}  // namespace dnn
