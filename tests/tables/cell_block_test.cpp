#include "dnn/tables/cell_block.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <string>

#include "dnn/tables/text_index.hpp"

namespace dnn {
namespace {

constexpr double nothing = std::numeric_limits<double>::quiet_NaN();

std::vector<std::uint64_t> bits_of(std::span<const double> numbers) {
  std::vector<std::uint64_t> bits;
  for (const double number : numbers) {
    bits.push_back(std::bit_cast<std::uint64_t>(number));
  }
  return bits;
}

/// Packs one column between two others, and compares what is unpacked.
void expect_same_bits(const std::vector<double>& column) {
  std::vector<double> rows;
  const std::size_t room_of_column = column.size() + 5;
  std::vector<double> columns(3 * room_of_column);
  for (std::size_t i = 0; i < column.size(); ++i) {
    const std::vector<double> row = {static_cast<double>(i % 7), column[i],
                                     0.1 * static_cast<double>(i)};
    rows.insert(rows.end(), row.begin(), row.end());
    for (std::size_t j = 0; j < row.size(); ++j) {
      columns[j * room_of_column + i] = row[j];
    }
  }
  CellBlock block(columns, column.size(), {false, false, false});
  EXPECT_EQ(block.rows(), column.size());
  std::vector<double> room;
  EXPECT_EQ(bits_of(block.unpack(room)), bits_of(rows));
  std::vector<double> others;
  const std::span<const double> some = block.unpack(others, {false, true, false});
  for (std::size_t i = 0; i < column.size(); ++i) {
    EXPECT_EQ(bits_of(some.subspan(3 * i + 1, 1)), bits_of(std::span(column).subspan(i, 1)));
  }
  block.clear();
  EXPECT_EQ(block.rows(), 0U);
  EXPECT_TRUE(block.unpack(room).empty());
}

TEST(CellBlock, GivesBackEveryBit) {
  const std::vector<std::vector<double>> columns = {
      {0, 1, 255},
      {0, 255, nothing},
      {0, 254, nothing},
      {256, 65535},
      {65535, nothing},
      {-1, 2147483647, nothing},
      {-2147483647},
      {-2147483648.0},
      {4294967294.0, 4294967295.0},
      {0.1, 0.25, -3.14159, 100},
      {1, 2, 3, 0.5, 0.123456789, nothing},
      {7, 214748364.8, 0.1},
      {0.0, -0.0},
      {-0.0, nothing},
      {1.0 / 3, 2.0 / 3},
      {1e-300, 1e300, nothing},
      {5e-324},
      {0x1.fffffep127, 0x1p-149},
      {9007199254740993.0, 1e15},
      {nothing, nothing},
      {0.1 + 0.2, 0.3},
  };
  for (const std::vector<double>& column : columns) {
    expect_same_bits(column);
  }
  std::mt19937_64 random(1);
  for (int digits = 0; digits <= 12; ++digits) {
    std::vector<double> column;
    for (int i = 0; i < 500; ++i) {
      const auto whole = static_cast<std::int64_t>(random() % 4'000'000'000) - 2'000'000'000;
      column.push_back(i % 50 == 49 ? nothing
                                    : std::stod(std::to_string(whole) + "e-" +
                                                std::to_string(i < 20 ? 0 : digits)));
    }
    expect_same_bits(column);
  }
  std::vector<double> any;
  while (any.size() < 2000) {
    const auto number = std::bit_cast<double>(random());
    if (std::isfinite(number)) {
      any.push_back(number);
    }
  }
  expect_same_bits(any);
}

TEST(CellBlock, GivesTextsOtherNumbers) {
  CellBlock block(std::vector<double>{0, nothing, 1, 5, 0.5, 7, 2, 1, 4294967295.0}, 3,
                  {true, false, true});
  block.renumber({{10, 20}, {}, {30, 40, 300'000}});
  std::vector<double> room;
  const std::span<const double> cells = block.unpack(room);
  const double unknown = TextIndex::unknown;
  EXPECT_EQ(bits_of(cells),
            bits_of(std::vector<double>{10, 5, 300'000, nothing, 0.5, 40, 20, 7, unknown}));
}

}  // namespace
}  // namespace dnn
