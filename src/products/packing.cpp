#include "dnn/products/packing.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "dnn/core/simd.hpp"

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

/// A square of vectors, to = fromᵀ: halves change places across the diagonal, then halves of these.
template <class T, std::size_t... Lanes>
DNN_SIMD_BODY void transpose_block(const T* from, std::size_t from_row, T* to, std::size_t to_row,
                                   std::index_sequence<Lanes...> /*lanes*/) {
  constexpr std::size_t n = sizeof...(Lanes);
  typedef T Vector __attribute__((vector_size(n * sizeof(T))));
  typedef T InMemory __attribute__((vector_size(n * sizeof(T)), aligned(alignof(T)), may_alias));
  Vector rows[n] = {*reinterpret_cast<const InMemory*>(from + Lanes * from_row)...};
  const auto exchange = [&]<std::size_t Half>() DNN_SIMD_LAMBDA {
    for (std::size_t i = 0; i < n; ++i) {
      if ((i & Half) == 0) {
        const Vector upper = rows[i];
        const Vector lower = rows[i + Half];
        rows[i] = __builtin_shufflevector(upper, lower,
                                          ((Lanes & Half) == 0 ? Lanes : n + Lanes - Half)...);
        rows[i + Half] = __builtin_shufflevector(
            upper, lower, ((Lanes & Half) == 0 ? Lanes + Half : n + Lanes)...);
      }
    }
  };
  if constexpr (n == 8) {
    exchange.template operator()<4>();
  }
  exchange.template operator()<2>();
  exchange.template operator()<1>();
  ((*reinterpret_cast<InMemory*>(to + Lanes * to_row) = rows[Lanes]), ...);
}

template <class T>
DNN_SIMD_BODY void transpose_in_blocks(const T* from, std::size_t from_row, T* to,
                                       std::size_t to_row, std::size_t rows, std::size_t cols) {
  constexpr std::size_t n = 32 / sizeof(T);
  const std::size_t whole_rows = rows / n * n;
  const std::size_t whole_cols = cols / n * n;
  for (std::size_t j = 0; j < whole_cols; j += n) {
    for (std::size_t i = 0; i < whole_rows; i += n) {
      transpose_block(from + j * from_row + i, from_row, to + i * to_row + j, to_row,
                      std::make_index_sequence<n>());
    }
  }
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = i < whole_rows ? whole_cols : 0; j < cols; ++j) {
      to[i * to_row + j] = from[j * from_row + i];
    }
  }
}
DNN_SIMD void transpose_blocks(const float* from, std::size_t from_row, float* to,
                               std::size_t to_row, std::size_t rows, std::size_t cols) {
  transpose_in_blocks(from, from_row, to, to_row, rows, cols);
}
DNN_SIMD void transpose_blocks(const double* from, std::size_t from_row, double* to,
                               std::size_t to_row, std::size_t rows, std::size_t cols) {
  transpose_in_blocks(from, from_row, to, to_row, rows, cols);
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
  transpose_blocks(from, from_row, to, to_row, rows, cols);
}

template void pack_panel(const RightOperand<float>&, Range, Range, std::size_t, float*);
template void pack_tiles(MatrixView<const float>, Range, std::size_t, float*);
template void transpose(const float*, std::size_t, float*, std::size_t, std::size_t, std::size_t);
template void pack_panel(const RightOperand<double>&, Range, Range, std::size_t, double*);
template void pack_tiles(MatrixView<const double>, Range, std::size_t, double*);
template void transpose(const double*, std::size_t, double*, std::size_t, std::size_t, std::size_t);

}  // namespace dnn
