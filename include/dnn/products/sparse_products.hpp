#pragma once

#include <span>

#include "dnn/products/dense_products.hpp"
#include "dnn/products/layer_products.hpp"
#include "dnn/products/tile_kernel.hpp"

namespace dnn {

/// The products of a first layer whose samples are sparse rows: A costs the stored values times
/// M_1, whatever the number of features. The bits are those of FullProducts with the same samples,
/// see Note [Sums over the terms that are there].
///
/// It computes dB, but not dW: see Note [Gradients of active rows]. The layer has no dX.
template <class T>
class SparseProducts final : public LayerProducts<T> {
 public:
  /// `products`: for dB. Both must outlive this. `kernel`: one of tile_kernels().
  SparseProducts(MatrixView<const T> W, DenseProducts<T>& products,
                 const TileKernel<T>& kernel = tile_kernels<T>().front());

  void values_changed() override {}
  /// `X`: sparse.
  void forward(const InputRows<T>& X, MatrixView<T> A, const Epilogue& epilogue) override;
  /// `X`: sparse.
  void begin_backward(const InputRows<T>& X, MatrixView<const T> dA,
                      std::span<const Range> shards) override;
  /// Leaves dW as it is.
  void backward_parameters(std::span<const ShardSum<T>> sums) override;
  /// Throws std::logic_error: nothing is below a first layer.
  void backward_input(MatrixView<T> dX, const Epilogue& epilogue) override;
  /// Of dW, too.
  [[nodiscard]] T largest_gradient(std::span<const ShardSum<T>> sums) override;

 private:
  [[nodiscard]] MatrixView<const T> no_features() const { return {nullptr, dA_.rows, 0}; }

  MatrixView<const T> W_;
  DenseProducts<T>& products_;
  const TileKernel<T>& kernel_;
  SparseRows<T> X_;
  MatrixView<const T> dA_;
  std::span<const Range> shards_;
};

}  // namespace dnn
