#pragma once

#include <cstddef>

#include "dnn/core/matrix.hpp"
#include "dnn/core/partition.hpp"

namespace dnn {

// How DenseProducts lays out operands for its tiles (see TileSum).

enum class Transpose { no, yes };

/// The right operand b of a product, or a piece of it: b_pj is data[p row + j], or data[j row + p]
/// where it is transposed. Owns nothing.
template <class T>
struct RightOperand {
  const T* data = nullptr;
  std::size_t row = 0;
  Transpose transposed = Transpose::no;
};

/// to[p width + j] = b_pj for the terms p and columns j given, both counted from the first; 0 for
/// the j beyond them.
template <class T>
void pack_panel(const RightOperand<T>& b, Range terms, Range columns, std::size_t width, T* to);

/// The columns given of X, so many as a tile has rows at a time: tile after tile, each with its
/// samples one after the other, `tile_rows` numbers apart.
template <class T>
void pack_tiles(MatrixView<const T> X, Range columns, std::size_t tile_rows, T* to);

/// to = fromᵀ, whose rows are `to_row` and `from_row` apart; `rows` x `cols` is `to`'s extent.
template <class T>
void transpose(const T* from, std::size_t from_row, T* to, std::size_t to_row, std::size_t rows,
               std::size_t cols);

}  // namespace dnn
