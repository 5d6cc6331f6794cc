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

/// Packs one column between two others; returns it as it was unpacked.
std::vector<double> packed(const std::vector<double>& column) {
  std::vector<double> rows;
  for (std::size_t i = 0; i < column.size(); ++i) {
    rows.insert(rows.end(), {static_cast<double>(i % 7), column[i], 0.1 * static_cast<double>(i)});
  }
  const CellBlock block(rows, 3, {false, false, false});
  EXPECT_EQ(block.rows(), column.size());
  std::vector<double> room;
  const std::span<const double> cells = block.unpack(room);
  EXPECT_EQ(bits_of(cells), bits_of(rows));
  return room;
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
    packed(column);
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
    packed(column);
  }
  std::vector<double> any;
  while (any.size() < 2000) {
    const auto number = std::bit_cast<double>(random());
    if (std::isfinite(number)) {
      any.push_back(number);
    }
  }
  packed(any);
}

TEST(CellBlock, GivesTextsOtherNumbers) {
  CellBlock block(std::vector<double>{0, 5, 2, nothing, 0.5, 1, 1, 7, 4294967295.0}, 3,
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
