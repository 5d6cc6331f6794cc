#include "dnn/nn/dense.hpp"

#include <algorithm>

#include "dnn/core/add.hpp"
#include "dnn/core/threads.hpp"

namespace dnn {

template <class T>
void dense_forward(MatrixView<const T> X, MatrixView<const T> W, MatrixView<T> A, ProductCut cut) {
  multiply(Transpose::no, X, Transpose::no, W, T{0}, A, cut);
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
                               std::span<T> dB, ProductCut cut) {
  multiply(Transpose::yes, X, Transpose::no, dA, T{0}, dW, cut);
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
void dense_backward_input(MatrixView<const T> dA, MatrixView<const T> W, MatrixView<T> dX,
                          ProductCut cut) {
  multiply(Transpose::no, dA, Transpose::yes, W, T{0}, dX, cut);
}

#define DNN_INSTANTIATE(T)                                                                         \
  template void dense_forward(MatrixView<const T>, MatrixView<const T>, MatrixView<T>,             \
                              ProductCut);                                                         \
  template void add_bias(MatrixView<T>, std::span<const T>);                                       \
  template void dense_backward_parameters(MatrixView<const T>, MatrixView<const T>, MatrixView<T>, \
                                          std::span<T>, ProductCut);                               \
  template void bias_gradient(MatrixView<const T>, std::span<T>);                                  \
  template void dense_backward_input(MatrixView<const T>, MatrixView<const T>, MatrixView<T>,      \
                                     ProductCut);
DNN_INSTANTIATE(float)
DNN_INSTANTIATE(double)
#undef DNN_INSTANTIATE

}  // namespace dnn
