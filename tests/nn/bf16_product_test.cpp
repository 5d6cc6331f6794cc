#include "dnn/nn/bf16_product.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <optional>
#include <stdexcept>
#include <vector>

#include "support/test_numbers.hpp"

namespace dnn {
namespace {

class Bf16ProductTest : public testing::Test {
 protected:
  void SetUp() override {
    try {
      Bf16Product(Transpose::no, Transpose::no, 2, 2, 2);
    } catch (const std::runtime_error& e) {
      ASSERT_FALSE(has_bf16_unit()) << e.what();
      GTEST_SKIP() << "bf16 products are not tested on this processor: " << e.what();
    }
  }
};

std::vector<Bf16> bf16_numbers(std::size_t count, std::uint64_t seed) {
  std::vector<Bf16> result(count);
  to_bf16(test::numbers<float>(count, seed), result);
  return result;
}

/// Runs the product and compares it with its naive twin: three loops in double.
void check(Transpose ta, Transpose tb, std::size_t m, std::size_t n, std::size_t k) {
  const auto a = bf16_numbers(m * k, 1);
  const auto b = bf16_numbers(k * n, 2);
  std::vector<float> c(m * n, NAN);  // what c held before must not count
  Bf16Product product(ta, tb, m, n, k);
  for (int repeat = 0; repeat < 2; ++repeat) {
    product.run(a.data(), b.data(), c.data());
    for (std::size_t i = 0; i < m; ++i) {
      for (std::size_t j = 0; j < n; ++j) {
        double sum = 0;
        double magnitude = 0;
        for (std::size_t p = 0; p < k; ++p) {
          const double term =
              static_cast<double>(to_float(a[ta == Transpose::yes ? p * m + i : i * k + p])) *
              static_cast<double>(to_float(b[tb == Transpose::yes ? j * k + p : p * n + j]));
          sum += term;
          magnitude += std::abs(term);
        }
        // Terms are exact in float; only their sums are rounded, rarely all in one direction.
        ASSERT_NEAR(c[i * n + j], sum, 4e-7 * magnitude)
            << m << 'x' << n << 'x' << k << " at " << i << ',' << j;
      }
    }
  }
}

TEST_F(Bf16ProductTest, AgreesWithTheNaiveProduct) {
  const std::size_t extents[][3] = {{1, 1, 1},     {1, 7, 3},    {3, 5, 7},
                                    {64, 10, 256}, {17, 33, 65}, {16, 1, 5},
                                    {100, 10, 31}, {33, 64, 1},  {130, 257, 129}};
  for (const auto& [m, n, k] : extents) {
    for (const Transpose ta : {Transpose::no, Transpose::yes}) {
      for (const Transpose tb : {Transpose::no, Transpose::yes}) {
        check(ta, tb, m, n, k);
      }
    }
  }
}

TEST_F(Bf16ProductTest, AgreesWithTheNaiveProductWhereItIsCutIntoBlocks) {
  check(Transpose::no, Transpose::no, 96, 300, 1111);
  check(Transpose::yes, Transpose::no, 301, 257, 512);
  check(Transpose::no, Transpose::yes, 65, 784, 1025);
}

TEST_F(Bf16ProductTest, EmptyExtents) {
  for (const Transpose ta : {Transpose::no, Transpose::yes}) {
    for (const Transpose tb : {Transpose::no, Transpose::yes}) {
      check(ta, tb, 5, 4, 0);
      check(ta, tb, 0, 3, 2);
      check(ta, tb, 2, 0, 2);
      check(ta, tb, 0, 0, 0);
    }
  }
}

TEST_F(Bf16ProductTest, MovesAlongWithItsMemory) {
  const auto a = bf16_numbers(6, 1);
  std::optional<Bf16Product> first(std::in_place, Transpose::no, Transpose::no, 1, 1, 6);
  Bf16Product second(std::move(*first));
  first.reset();
  float c = 0;
  second.run(a.data(), a.data(), &c);
  double sum = 0;
  for (const Bf16 x : a) {
    sum += static_cast<double>(to_float(x)) * static_cast<double>(to_float(x));
  }
  EXPECT_NEAR(c, sum, 1e-6);
}

}  // namespace
}  // namespace dnn
