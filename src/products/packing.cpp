#include "dnn/products/packing.hpp"

#include <algorithm>
#include <cstring>

namespace dnn {

namespace {

/// std::copy_n, fast for the rows of whole tiles.
template <class T>
void copy_few(const T* from, std::size_t count, T* to) {
  if (count == 8) {
    std::memcpy(to, from, 8 * sizeof(T));
  } else if (count == 4) {
    std::memcpy(to, from, 4 * sizeof(T));
  } else {
    std::copy_n(from, count, to);
  }
}

}  // namespace

template <class T>
void pack_panel(const RightOperand<T>& b, Range terms, Range columns, std::size_t width, T* to) {
  if (b.transposed == Transpose::yes) {
    transpose(b.data + columns.begin * b.row + terms.begin, b.row, to, width, terms.size(),
              columns.size());
  }
  for (std::size_t p = terms.begin; p < terms.end; ++p, to += width) {
    if (b.transposed == Transpose::no) {
      std::copy_n(b.data + p * b.row + columns.begin, columns.size(), to);
    }
    std::fill(to + columns.size(), to + width, T{0});
  }
}

template <class T>
void pack_tiles(MatrixView<const T> X, Range columns, std::size_t tile_rows, T* to) {
  constexpr std::size_t rows_ahead = 8;  // whose lines are fetched
  constexpr std::size_t line = 64 / sizeof(T);
  for (std::size_t s = 0; s < X.rows; ++s, to += tile_rows) {
    const T* from = X.row(s).data() + columns.begin;
    for (std::size_t i = 0; i < columns.size() && s + rows_ahead < X.rows; i += line) {
      __builtin_prefetch(from + rows_ahead * X.cols + i);
    }
    for (std::size_t i = 0; i < columns.size(); i += tile_rows) {
      copy_few(from + i, std::min(tile_rows, columns.size() - i), to + i * X.rows);
    }
  }
}

template <class T>
void transpose(const T* from, std::size_t from_row, T* to, std::size_t to_row, std::size_t rows,
               std::size_t cols) {
  constexpr std::size_t line = 16;  // elements of what is read again before it leaves the cache
  for (std::size_t first = 0; first < cols; first += line) {
    const std::size_t count = std::min(line, cols - first);
    for (std::size_t i = 0; i < rows; ++i) {
      for (std::size_t j = first; j < first + count; ++j) {
        to[i * to_row + j] = from[j * from_row + i];
      }
    }
  }
}

template void pack_panel(const RightOperand<float>&, Range, Range, std::size_t, float*);
template void pack_tiles(MatrixView<const float>, Range, std::size_t, float*);
template void transpose(const float*, std::size_t, float*, std::size_t, std::size_t, std::size_t);
template void pack_panel(const RightOperand<double>&, Range, Range, std::size_t, double*);
template void pack_tiles(MatrixView<const double>, Range, std::size_t, double*);
template void transpose(const double*, std::size_t, double*, std::size_t, std::size_t, std::size_t);

}  // namespace dnn
