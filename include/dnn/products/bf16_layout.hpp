#pragma once

#include <cstddef>

#include "dnn/core/matrix.hpp"
#include "dnn/products/bf16.hpp"

namespace dnn {

/// How a bf16 matrix of k x n is stored.
enum class Bf16Layout {
  rows,     ///< k rows of n
  columns,  ///< n columns of k: the transposed matrix by rows
  /// What a bf16 unit reads as a product's right operand: panels of 64 columns; inside a panel
  /// pairs of rows, and of each pair the two elements of every column side by side. Filled up with
  /// zeros to whole panels and to a multiple of 32 rows (oneDNN's BA16a64b2a).
  panels
};

/// The elements that a matrix of rows x cols takes as panels.
[[nodiscard]] std::size_t panels_size(std::size_t rows, std::size_t cols);

/// Rounds a matrix to bf16 and writes it as panels (panels_size elements, the filling included)
/// and, unless `rows` is null, in the same pass by rows too (from.size() elements).
void to_panels(MatrixView<const float> from, Bf16* panels, Bf16* rows);

/// Writes the columns of `from` to `columns` (from.size() elements).
void to_columns(MatrixView<const Bf16> from, Bf16* columns);

}  // namespace dnn
