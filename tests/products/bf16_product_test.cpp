#include "dnn/products/bf16_product.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "support/bf16_unit.hpp"
#include "support/test_numbers.hpp"

namespace dnn {
namespace {

class Bf16ProductTest : public test::NeedsBf16Products {};

constexpr Bf16Layout layouts[] = {Bf16Layout::rows, Bf16Layout::columns, Bf16Layout::panels};

std::vector<Bf16> rounded(const std::vector<float>& numbers) {
  std::vector<Bf16> result(numbers.size());
  to_bf16(numbers, result);
  return result;
}

std::vector<Bf16> laid_out(const std::vector<float>& b, std::size_t k, std::size_t n,
                           Bf16Layout layout) {
  std::vector<Bf16> rows = rounded(b);
  if (layout == Bf16Layout::rows) {
    return rows;
  }
  std::vector<Bf16> result(layout == Bf16Layout::panels ? panels_size(k, n) : k * n);
  if (layout == Bf16Layout::panels) {
    to_panels({b.data(), k, n}, result.data(), nullptr);
  } else {
    to_columns({rows.data(), k, n}, result.data());
  }
  return result;
}

/// Runs the product and compares it with its naive twin: three loops in double.
void check(Bf16Layout layout, std::size_t m, std::size_t n, std::size_t k) {
  const auto a = rounded(test::numbers<float>(m * k, 1));
  const auto b_numbers = test::numbers<float>(k * n, 2);
  const auto b_rows = rounded(b_numbers);
  const auto b = laid_out(b_numbers, k, n, layout);
  std::vector<float> c(m * n, NAN);  // what c held before must not count
  Bf16Product product(layout, m, n, k);
  for (int repeat = 0; repeat < 2; ++repeat) {
    product.run(a.data(), b.data(), c.data());
    for (std::size_t i = 0; i < m; ++i) {
      for (std::size_t j = 0; j < n; ++j) {
        double sum = 0;
        double magnitude = 0;
        for (std::size_t p = 0; p < k; ++p) {
          const double term = static_cast<double>(to_float(a[i * k + p])) *
                              static_cast<double>(to_float(b_rows[p * n + j]));
          sum += term;
          magnitude += std::abs(term);
        }
        // The terms are exact in float; the roundings of their sums mostly cancel.
        ASSERT_NEAR(c[i * n + j], sum, 4e-7 * magnitude)
            << m << 'x' << n << 'x' << k << " at " << i << ',' << j << ", layout "
            << static_cast<int>(layout);
      }
    }
  }
}

TEST_F(Bf16ProductTest, AgreesWithTheNaiveProduct) {
  const std::size_t extents[][3] = {{1, 1, 1},   {1, 7, 3},       {3, 5, 7},    {64, 10, 256},
                                    {16, 1, 5},  {100, 10, 31},   {33, 64, 1},  {17, 33, 65},
                                    {17, 65, 7}, {130, 257, 129}, {31, 100, 32}};
  for (const auto& [m, n, k] : extents) {
    for (const Bf16Layout layout : layouts) {
      check(layout, m, n, k);
    }
  }
}

TEST_F(Bf16ProductTest, AgreesWithTheNaiveProductWhereItIsCutIntoBlocks) {
  check(Bf16Layout::rows, 96, 300, 1111);
  check(Bf16Layout::columns, 65, 784, 1025);
  check(Bf16Layout::panels, 301, 257, 512);
}

TEST_F(Bf16ProductTest, EmptyExtents) {
  for (const Bf16Layout layout : layouts) {
    check(layout, 5, 4, 0);
    check(layout, 0, 3, 2);
    check(layout, 2, 0, 2);
    check(layout, 0, 0, 0);
  }
  EXPECT_FALSE(Bf16Product::prefers_panels(0, 100, 100));
}

TEST_F(Bf16ProductTest, MovesWithAllItOwns) {
  const auto a = rounded(test::numbers<float>(6, 1));
  std::optional<Bf16Product> first(std::in_place, Bf16Layout::rows, 1, 1, 6);
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
