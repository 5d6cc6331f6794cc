#pragma once

// The samples of a batch as a network's first layer takes them, with or without their zeros.

#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>

#include "dnn/core/matrix.hpp"

namespace dnn {

/// Views of the rows of a sparse matrix. Owns nothing.
template <class T>
struct SparseRows {
  std::size_t cols = 0;
  std::span<const std::size_t> offsets;    ///< rows + 1: where the values of each row begin
  std::span<const std::uint32_t> columns;  ///< of each value; ascending within a row
  std::span<const T> values;

  [[nodiscard]] std::size_t rows() const { return offsets.empty() ? 0 : offsets.size() - 1; }
};

/// Values of a sparse matrix column by column: of the columns that are active, which have some.
/// Owns nothing.
template <class T>
struct ActiveColumns {
  std::span<const std::uint32_t> active;  ///< which columns, ascending
  std::span<const std::size_t> offsets;   ///< active.size() + 1: where the values of each begin
  std::span<const std::uint32_t> rows;    ///< of each value; ascending within a column
  std::span<const T> values;
};

/// The samples of a batch (S x M_0): dense, or the stored values alone.
template <class T>
class InputRows {
 public:
  // NOLINTNEXTLINE(google-explicit-constructor): a view, as MatrixView itself converts
  InputRows(MatrixView<const T> dense) : dense_(dense) {}
  // NOLINTNEXTLINE(google-explicit-constructor)
  InputRows(MatrixView<T> dense) : dense_(dense) {}
  InputRows(const T* dense, std::size_t rows, std::size_t cols) : dense_{dense, rows, cols} {}
  // NOLINTNEXTLINE(google-explicit-constructor)
  InputRows(const SparseRows<T>& sparse) : sparse_(sparse), is_sparse_(true) {}

  [[nodiscard]] std::size_t rows() const { return is_sparse_ ? sparse_.rows() : dense_.rows; }
  /// Throws std::logic_error where the rows are sparse.
  [[nodiscard]] MatrixView<const T> dense() const { return required(dense_, !is_sparse_); }
  /// Throws std::logic_error where the rows are dense.
  [[nodiscard]] const SparseRows<T>& sparse() const { return required(sparse_, is_sparse_); }

 private:
  template <class View>
  static const View& required(const View& view, bool is_there) {
    if (!is_there) {
      throw std::logic_error("InputRows: a layer was given samples of the other form");
    }
    return view;
  }

  MatrixView<const T> dense_;
  SparseRows<T> sparse_;
  bool is_sparse_ = false;
};

}  // namespace dnn
