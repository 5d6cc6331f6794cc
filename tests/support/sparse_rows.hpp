#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "dnn/core/input_rows.hpp"
#include "support/test_numbers.hpp"

namespace dnn::test {

/// A matrix that is mostly zeros, in both forms.
template <class T>
struct SparseExample {
  std::size_t rows, cols;
  std::vector<T> dense;
  std::vector<std::size_t> offsets{0};
  std::vector<std::uint32_t> columns;
  std::vector<T> values;
  std::vector<std::uint32_t> active;
  std::vector<std::size_t> column_offsets{0};
  std::vector<std::uint32_t> rows_of_values;
  std::vector<T> values_by_column;

  /// One element of `every` is not 0, on average; column 3, if there is one, has no zeros.
  SparseExample(std::size_t rows_, std::size_t cols_, std::size_t every, std::uint64_t seed)
      : rows(rows_), cols(cols_), dense(numbers<T>(rows * cols, seed)) {
    const auto chosen = numbers<double>(rows * cols, seed + 1);
    for (std::size_t i = 0; i < dense.size(); ++i) {
      const bool is_there = i % cols == 3 || (chosen[i] + 1) / 2 < 1.0 / static_cast<double>(every);
      dense[i] = is_there ? dense[i] : T{0};
    }
    for (std::size_t s = 0; s < rows; ++s) {
      for (std::size_t j = 0; j < cols; ++j) {
        if (dense[s * cols + j] != 0) {
          columns.push_back(static_cast<std::uint32_t>(j));
          values.push_back(dense[s * cols + j]);
        }
      }
      offsets.push_back(values.size());
    }
    for (std::size_t j = 0; j < cols; ++j) {
      for (std::size_t s = 0; s < rows; ++s) {
        if (dense[s * cols + j] != 0) {
          rows_of_values.push_back(static_cast<std::uint32_t>(s));
          values_by_column.push_back(dense[s * cols + j]);
        }
      }
      if (values_by_column.size() > column_offsets.back()) {
        active.push_back(static_cast<std::uint32_t>(j));
        column_offsets.push_back(values_by_column.size());
      }
    }
  }

  [[nodiscard]] MatrixView<const T> matrix() const { return {dense.data(), rows, cols}; }
  [[nodiscard]] SparseRows<T> sparse() const { return {cols, offsets, columns, values}; }
  [[nodiscard]] ActiveColumns<T> by_columns() const {
    return {active, column_offsets, rows_of_values, values_by_column};
  }
};

}  // namespace dnn::test
