#include "dnn/nn/activation.hpp"

#include <bit>
#include <cstring>

#include "dnn/core/largest_magnitude.hpp"
#include "dnn/core/simd.hpp"

namespace dnn {

namespace {

/// In a loop of its own: GCC 12 makes no vector instructions of a loop that also compares numbers.
template <class T>
DNN_SIMD_BODY MagnitudeBits<T> largest_bits(const T* values, std::size_t count) {
  constexpr auto without_sign = static_cast<MagnitudeBits<T>>(~MagnitudeBits<T>{0}) >> 1;
  MagnitudeBits<T> largest = 0;
  for (std::size_t j = 0; j < count; ++j) {
    MagnitudeBits<T> bits = 0;
    std::memcpy(&bits, values + j, sizeof(bits));
    bits &= without_sign;
    largest = bits > largest ? bits : largest;
  }
  return largest;
}

template <bool Relu, class T>
DNN_SIMD_BODY MagnitudeBits<T> forward_row(T* __restrict A, const T* __restrict B,
                                           std::size_t count) {
  for (std::size_t j = 0; j < count; ++j) {
    const T a = A[j] + B[j];
    A[j] = Relu && a <= T{0} ? T{0} : a;  // in this order: NaN compares false and passes
  }
  return largest_bits(A, count);
}
DNN_SIMD std::uint32_t bias(float* A, const float* B, std::size_t n) {
  return forward_row<false>(A, B, n);
}
DNN_SIMD std::uint64_t bias(double* A, const double* B, std::size_t n) {
  return forward_row<false>(A, B, n);
}
DNN_SIMD std::uint32_t bias_relu(float* A, const float* B, std::size_t n) {
  return forward_row<true>(A, B, n);
}
DNN_SIMD std::uint64_t bias_relu(double* A, const double* B, std::size_t n) {
  return forward_row<true>(A, B, n);
}

template <class T>
DNN_SIMD_BODY MagnitudeBits<T> backward_row(const T* __restrict X, T scale, T* __restrict dX,
                                            std::size_t count) {
  for (std::size_t j = 0; j < count; ++j) {
    dX[j] = X[j] > T{0} ? dX[j] * scale : T{0};
  }
  return largest_bits(dX, count);
}
DNN_SIMD std::uint32_t masked(const float* X, float scale, float* dX, std::size_t n) {
  return backward_row(X, scale, dX, n);
}
DNN_SIMD std::uint64_t masked(const double* X, double scale, double* dX, std::size_t n) {
  return backward_row(X, scale, dX, n);
}

/// The largest of what `row_of(s)` returns, the bits of a row's largest magnitude.
template <class T, class RowOf>
T largest_of_rows(Range rows, RowOf&& row_of) {
  MagnitudeBits<T> largest = 0;
  for (std::size_t s = rows.begin; s < rows.end; ++s) {
    const MagnitudeBits<T> of_row = row_of(s);
    largest = of_row > largest ? of_row : largest;
  }
  return std::bit_cast<T>(largest);
}

}  // namespace

template <class T>
T add_bias(MatrixView<T> A, std::span<const T> B, Range rows, Range columns) {
  return largest_of_rows<T>(rows, [&](std::size_t s) {
    return bias(A.row(s).data() + columns.begin, B.data() + columns.begin, columns.size());
  });
}

template <class T>
T add_bias_relu(MatrixView<T> A, std::span<const T> B, Range rows, Range columns) {
  return largest_of_rows<T>(rows, [&](std::size_t s) {
    return bias_relu(A.row(s).data() + columns.begin, B.data() + columns.begin, columns.size());
  });
}

template <class T>
T relu_backward(MatrixView<const T> X, T scale, MatrixView<T> dX, Range rows, Range columns) {
  return largest_of_rows<T>(rows, [&](std::size_t s) {
    return masked(X.row(s).data() + columns.begin, scale, dX.row(s).data() + columns.begin,
                  columns.size());
  });
}

template float add_bias(MatrixView<float>, std::span<const float>, Range, Range);
template float add_bias_relu(MatrixView<float>, std::span<const float>, Range, Range);
template float relu_backward(MatrixView<const float>, float, MatrixView<float>, Range, Range);
template double add_bias(MatrixView<double>, std::span<const double>, Range, Range);
template double add_bias_relu(MatrixView<double>, std::span<const double>, Range, Range);
template double relu_backward(MatrixView<const double>, double, MatrixView<double>, Range, Range);

}  // namespace dnn
