#include "dnn/products/sparse_products.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <vector>

#include "dnn/core/sparse_columns.hpp"
#include "dnn/core/threads.hpp"
#include "dnn/products/feature_sums.hpp"

namespace dnn {

template <class T>
SparseProducts<T>::SparseProducts(MatrixView<const T> W, DenseProducts<T>& products,
                                  const TileKernel<T>& kernel)
    : W_(W), products_(products), kernel_(kernel) {}

template <class T>
void SparseProducts<T>::forward(const InputRows<T>& X, MatrixView<T> A, const Epilogue& epilogue) {
  const SparseRows<T>& rows = X.sparse();
  const std::size_t values = rows.values.size() / std::max<std::size_t>(A.rows, 1) + 1;
  parallel_for_rows(A.rows, values * A.cols, [&](Range some) {
    for (std::size_t s = some.begin; s < some.end; ++s) {
      const std::size_t first = rows.offsets[s];
      kernel_.indexed({rows.values.data() + first, rows.columns.data() + first,
                       rows.offsets[s + 1] - first, W_.data, W_.cols, W_.cols, A.row(s).data()});
      if (epilogue) {
        epilogue({s, s + 1}, {0, A.cols});
      }
    }
  });
}

template <class T>
void SparseProducts<T>::begin_backward(const InputRows<T>& X, MatrixView<const T> dA,
                                       std::span<const Range> shards) {
  X_ = X.sparse();
  dA_ = dA;
  shards_ = shards;
}

template <class T>
void SparseProducts<T>::backward_parameters(std::span<const ShardSum<T>> sums) {
  std::vector<ShardSum<T>> of_bias(sums.begin(), sums.end());
  for (ShardSum<T>& sum : of_bias) {
    sum.dW.rows = 0;
  }
  products_.backward_parameters(no_features(), dA_, shards_, of_bias);
}

template <class T>
void SparseProducts<T>::backward_input(MatrixView<T> /*dX*/, const Epilogue& /*epilogue*/) {
  throw std::logic_error("SparseProducts: nothing is below a first layer");
}

template <class T>
T SparseProducts<T>::largest_gradient(std::span<const ShardSum<T>> /*sums*/) {
  SparseColumns<T> columns;
  columns.sort(X_);
  const T of_bias = products_.largest_gradient(no_features(), dA_, shards_);
  if (std::isnan(of_bias)) {
    return of_bias;
  }
  const T of_rows = FeatureSums<T>(columns.view(), dA_, shards_, kernel_).largest();
  return std::max(of_rows, of_bias);  // which returns a NaN that comes first
}

template class SparseProducts<float>;
template class SparseProducts<double>;

}  // namespace dnn
