#pragma once

#include <cstddef>
#include <span>
#include <type_traits>

#include "dnn/core/partition.hpp"

namespace dnn {

/// A view of a dense row-major matrix: `rows` x `cols` elements, rows contiguous. Owns nothing; the
/// storage must outlive the view.
template <class T>
struct MatrixView {
  T* data = nullptr;
  std::size_t rows = 0;
  std::size_t cols = 0;

  [[nodiscard]] std::size_t size() const { return rows * cols; }
  [[nodiscard]] T& operator()(std::size_t row, std::size_t col) const {
    return data[row * cols + col];
  }
  [[nodiscard]] std::span<T> row(std::size_t index) const { return {data + index * cols, cols}; }
  /// The first `count` rows.
  [[nodiscard]] MatrixView top(std::size_t count) const { return {data, count, cols}; }
  /// The rows of a range.
  [[nodiscard]] MatrixView part(Range range) const {
    return {data + range.begin * cols, range.size(), cols};
  }

  // NOLINTNEXTLINE(google-explicit-constructor): a view of const elements, as with std::span
  operator MatrixView<const T>() const requires(!std::is_const_v<T>) { return {data, rows, cols}; }
};

}  // namespace dnn
