#include "dnn/products/bf16_layout.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "dnn/core/simd.hpp"
#include "dnn/core/threads.hpp"

namespace dnn {

namespace {

constexpr std::size_t panel_columns = 64;
constexpr std::size_t panel_rows = 32;  // the rows of a panel are a multiple of this

constexpr std::size_t round_up(std::size_t count, std::size_t multiple) {
  return (count + multiple - 1) / multiple * multiple;
}

// Two elements as they follow each other in memory, so that vectors hold whole pairs.
constexpr int first_shift = std::endian::native == std::endian::little ? 0 : 16;

constexpr std::uint32_t side_by_side(Bf16 first, Bf16 second) {
  return std::uint32_t{first.bits} << first_shift | std::uint32_t{second.bits}
                                                        << (16 - first_shift);
}

constexpr Bf16 first_of(std::uint32_t pair) {
  return {static_cast<std::uint16_t>(pair >> first_shift)};
}

constexpr Bf16 second_of(std::uint32_t pair) {
  return {static_cast<std::uint16_t>(pair >> (16 - first_shift))};
}

/// Rounds two rows, puts them side by side into panels that lie `stride` elements apart and, unless
/// first_row is null, keeps them as rows.
DNN_SIMD void convert_pair(const float* __restrict first, const float* __restrict second,
                           std::size_t cols, Bf16* __restrict panel, std::size_t stride,
                           Bf16* __restrict first_row, Bf16* __restrict second_row) {
  std::array<std::uint32_t, panel_columns> pairs{};
  for (std::size_t begin = 0; begin < cols; begin += panel_columns, panel += stride) {
    const std::size_t count = std::min(cols - begin, panel_columns);
    for (std::size_t j = 0; j < count; ++j) {
      pairs[j] = side_by_side(to_bf16(first[begin + j]), to_bf16(second[begin + j]));
    }
    std::fill(pairs.begin() + count, pairs.end(), 0U);
    std::memcpy(panel, pairs.data(), sizeof(pairs));
    if (first_row != nullptr) {
      for (std::size_t j = 0; j < count; ++j) {
        first_row[begin + j] = first_of(pairs[j]);
        second_row[begin + j] = second_of(pairs[j]);
      }
    }
  }
}

constexpr std::size_t tile_side = 8;
using Lane = std::uint16_t __attribute__((vector_size(tile_side * sizeof(Bf16))));

/// Transposes 8 x 8 elements: three rounds that interleave the upper with the lower half.
void transpose_tile(const Bf16* from, std::size_t from_stride, Bf16* to, std::size_t to_stride) {
  std::array<Lane, tile_side> rows, mixed;
  for (std::size_t i = 0; i < tile_side; ++i) {
    std::memcpy(&rows[i], from + i * from_stride, sizeof(Lane));
  }
  for (int round = 0; round < 3; ++round) {
    for (std::size_t i = 0; i < tile_side / 2; ++i) {
      const Lane upper = rows[i];
      const Lane lower = rows[i + tile_side / 2];
      mixed[2 * i] = __builtin_shufflevector(upper, lower, 0, 8, 1, 9, 2, 10, 3, 11);
      mixed[2 * i + 1] = __builtin_shufflevector(upper, lower, 4, 12, 5, 13, 6, 14, 7, 15);
    }
    rows = mixed;
  }
  for (std::size_t i = 0; i < tile_side; ++i) {
    std::memcpy(to + i * to_stride, &rows[i], sizeof(Lane));
  }
}

}  // namespace

std::size_t panels_size(std::size_t rows, std::size_t cols) {
  return round_up(rows, panel_rows) * round_up(cols, panel_columns);
}

void to_panels(MatrixView<const float> from, Bf16* panels, Bf16* rows) {
  const std::size_t stride = round_up(from.rows, panel_rows) * panel_columns;
  const std::size_t paired = from.rows / 2 * 2;
  parallel_for_rows(paired / 2, 2 * from.cols, [&](Range pairs) {
    for (std::size_t r = 2 * pairs.begin; r < 2 * pairs.end; r += 2) {
      Bf16* row = rows == nullptr ? nullptr : rows + r * from.cols;
      convert_pair(from.row(r).data(), from.row(r + 1).data(), from.cols,
                   panels + r * panel_columns, stride, row,
                   row == nullptr ? nullptr : row + from.cols);
    }
  });
  for (std::size_t begin = 0; begin < from.cols; begin += panel_columns, panels += stride) {
    Bf16* rest = panels + paired * panel_columns;
    std::fill(rest, panels + stride, Bf16{0});
    if (paired < from.rows) {  // a last row without a partner
      for (std::size_t j = begin; j < std::min(begin + panel_columns, from.cols); ++j) {
        rest[2 * (j - begin)] = to_bf16(from(paired, j));
      }
    }
  }
  if (rows != nullptr && paired < from.rows) {
    to_bf16(from.row(paired), {rows + paired * from.cols, from.cols});
  }
}

void to_columns(MatrixView<const Bf16> from, Bf16* columns) {
  constexpr std::size_t strip = 4 * tile_side;  // the rows of a strip fill a cache line of a column
  const std::size_t whole_rows = from.rows / tile_side * tile_side;
  const std::size_t whole_cols = from.cols / tile_side * tile_side;
  parallel_for_rows((whole_rows + strip - 1) / strip, strip * from.cols, [&](Range strips) {
    for (std::size_t begin = strips.begin * strip; begin < strips.end * strip; begin += strip) {
      const std::size_t end = std::min(begin + strip, whole_rows);
      for (std::size_t col = 0; col < whole_cols; col += tile_side) {
        for (std::size_t row = begin; row < end; row += tile_side) {
          transpose_tile(&from(row, col), from.cols, columns + col * from.rows + row, from.rows);
        }
      }
    }
  });
  for (std::size_t row = 0; row < from.rows; ++row) {
    for (std::size_t col = row < whole_rows ? whole_cols : 0; col < from.cols; ++col) {
      columns[col * from.rows + row] = from(row, col);
    }
  }
}

}  // namespace dnn
