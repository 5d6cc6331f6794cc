#include "dnn/nn/dense.hpp"

#include <algorithm>

#include "dnn/core/add.hpp"
#include "dnn/core/threads.hpp"

namespace dnn {

template <class T>
void dense_forward(MatrixView<const T> X, MatrixView<const T> W, MatrixView<T> A) {
  multiply(Transpose::no, X, Transpose::no, W, T{0}, A);
}

template <class T>
void add_bias(MatrixView<T> A, std::span<const T> B) {
  parallel_for_rows(A.rows, A.cols, [&](Range rows) {
    for (std::size_t s = rows.begin; s < rows.end; ++s) {
      add(B.data(), A.row(s).data(), A.cols);
    }
  });
}

template <class T>
void dense_backward_parameters(MatrixView<const T> X, MatrixView<const T> dA, MatrixView<T> dW,
                               std::span<T> dB) {
  multiply(Transpose::yes, X, Transpose::no, dA, T{0}, dW);
  bias_gradient(dA, dB);
}

template <class T>
void bias_gradient(MatrixView<const T> dA, std::span<T> dB) {
  parallel_for_rows(dA.cols, dA.rows, [&](Range columns) {
    T* sum = dB.data() + columns.begin;
    std::fill_n(sum, columns.size(), T{0});
    for (std::size_t s = 0; s < dA.rows; ++s) {
      add(dA.row(s).data() + columns.begin, sum, columns.size());
    }
  });
}

template <class T>
void dense_backward_input(MatrixView<const T> dA, MatrixView<const T> W, MatrixView<T> dX) {
  multiply(Transpose::no, dA, Transpose::yes, W, T{0}, dX);
}

#define DNN_INSTANTIATE(T)                                                                         \
  template void dense_forward(MatrixView<const T>, MatrixView<const T>, MatrixView<T>);            \
  template void add_bias(MatrixView<T>, std::span<const T>);                                       \
  template void dense_backward_parameters(MatrixView<const T>, MatrixView<const T>, MatrixView<T>, \
                                          std::span<T>);                                           \
  template void bias_gradient(MatrixView<const T>, std::span<T>);                                  \
  template void dense_backward_input(MatrixView<const T>, MatrixView<const T>, MatrixView<T>);
DNN_INSTANTIATE(float)
DNN_INSTANTIATE(double)
#undef DNN_INSTANTIATE

}  // namespace dnn
