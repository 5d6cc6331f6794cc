#include "dnn/products/bf16_layout.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "support/test_numbers.hpp"

namespace dnn {
namespace {

constexpr std::size_t sizes[][2] = {{1, 1},    {2, 64},  {3, 5},   {8, 8},   {32, 64},
                                    {33, 65},  {31, 63}, {40, 24}, {64, 10}, {10, 200},
                                    {100, 77}, {0, 5},   {5, 0},   {9, 128}, {257, 130}};
constexpr std::uint16_t old = 0x4711;  // what lies in memory before

// The naive twin: where the element of row k, column n lies.
std::size_t place_in_panels(std::size_t k, std::size_t n, std::size_t rows) {
  const std::size_t panel = n / 64 * ((rows + 31) / 32 * 32 * 64);
  return panel + k / 2 * 128 + n % 64 * 2 + k % 2;
}

TEST(Bf16Layout, PanelsHoldEveryElementAndZerosElsewhere) {
  for (const auto& [rows, cols] : sizes) {
    const auto numbers = test::numbers<float>(rows * cols, 1);
    std::vector<std::uint16_t> expected(panels_size(rows, cols));
    for (std::size_t k = 0; k < rows; ++k) {
      for (std::size_t n = 0; n < cols; ++n) {
        expected[place_in_panels(k, n, rows)] = to_bf16(numbers[k * cols + n]).bits;
      }
    }
    for (const bool keep_rows : {true, false}) {
      std::vector<Bf16> panels(expected.size(), Bf16{old});
      std::vector<Bf16> by_rows(rows * cols, Bf16{old});
      to_panels({numbers.data(), rows, cols}, panels.data(), keep_rows ? by_rows.data() : nullptr);
      for (std::size_t i = 0; i < panels.size(); ++i) {
        ASSERT_EQ(panels[i].bits, expected[i]) << rows << 'x' << cols << " at " << i;
      }
      for (std::size_t i = 0; i < by_rows.size(); ++i) {
        ASSERT_EQ(by_rows[i].bits, keep_rows ? to_bf16(numbers[i]).bits : old)
            << rows << 'x' << cols;
      }
    }
  }
}

TEST(Bf16Layout, ColumnsAreTheTransposedMatrix) {
  for (const auto& [rows, cols] : sizes) {
    std::vector<Bf16> from(rows * cols);
    for (std::size_t i = 0; i < from.size(); ++i) {
      from[i] = {static_cast<std::uint16_t>(i)};
    }
    std::vector<Bf16> columns(from.size(), Bf16{old});
    to_columns({from.data(), rows, cols}, columns.data());
    for (std::size_t k = 0; k < rows; ++k) {
      for (std::size_t n = 0; n < cols; ++n) {
        ASSERT_EQ(columns[n * rows + k].bits, from[k * cols + n].bits) << rows << 'x' << cols;
      }
    }
  }
}

}  // namespace
}  // namespace dnn
