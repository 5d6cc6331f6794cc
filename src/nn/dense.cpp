#include "dnn/nn/dense.hpp"

#include <algorithm>

#include "dnn/core/add.hpp"
#include "dnn/core/threads.hpp"

namespace dnn {

template <class T>
void add_bias(MatrixView<T> A, std::span<const T> B) {
  parallel_for_rows(A.rows, A.cols, [&](Range rows) {
    for (std::size_t s = rows.begin; s < rows.end; ++s) {
      add(B.data(), A.row(s).data(), A.cols);
    }
  });
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

template void add_bias(MatrixView<float>, std::span<const float>);
template void bias_gradient(MatrixView<const float>, std::span<float>);
template void add_bias(MatrixView<double>, std::span<const double>);
template void bias_gradient(MatrixView<const double>, std::span<double>);

}  // namespace dnn
