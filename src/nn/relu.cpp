#include "dnn/nn/relu.hpp"

#include "dnn/core/simd.hpp"
#include "dnn/core/threads.hpp"

namespace dnn {

namespace {

template <class T>
DNN_SIMD_BODY void forward_row(T* __restrict A, const T* __restrict B, std::size_t count) {
  for (std::size_t j = 0; j < count; ++j) {
    const T a = A[j] + B[j];
    A[j] = a <= T{0} ? T{0} : a;  // in this order: NaN compares false and passes
  }
}
DNN_SIMD void forward(float* A, const float* B, std::size_t n) {
  forward_row(A, B, n);
}
DNN_SIMD void forward(double* A, const double* B, std::size_t n) {
  forward_row(A, B, n);
}

template <class T>
DNN_SIMD_BODY void backward_all(const T* __restrict X, T scale, T* __restrict dX,
                                std::size_t count) {
  for (std::size_t j = 0; j < count; ++j) {
    dX[j] = X[j] > T{0} ? dX[j] * scale : T{0};
  }
}
DNN_SIMD void backward(const float* X, float scale, float* dX, std::size_t n) {
  backward_all(X, scale, dX, n);
}
DNN_SIMD void backward(const double* X, double scale, double* dX, std::size_t n) {
  backward_all(X, scale, dX, n);
}

}  // namespace

template <class T>
void add_bias_relu(MatrixView<T> A, std::span<const T> B) {
  parallel_for_rows(A.rows, A.cols, [&](Range rows) {
    for (std::size_t s = rows.begin; s < rows.end; ++s) {
      forward(A.row(s).data(), B.data(), A.cols);
    }
  });
}

template <class T>
void relu_backward(MatrixView<const T> X, T scale, MatrixView<T> dX) {
  parallel_for(dX.size(), parallel_grain, [&](Range part) {
    backward(X.data + part.begin, scale, dX.data + part.begin, part.size());
  });
}

template void add_bias_relu(MatrixView<float>, std::span<const float>);
template void add_bias_relu(MatrixView<double>, std::span<const double>);
template void relu_backward(MatrixView<const float>, float, MatrixView<float>);
template void relu_backward(MatrixView<const double>, double, MatrixView<double>);

}  // namespace dnn
