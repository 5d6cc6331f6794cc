#pragma once

#include <cstddef>
#include <span>

#include "dnn/products/dense_products.hpp"
#include "dnn/products/layer_products.hpp"
#include "dnn/products/tile_kernel.hpp"

namespace dnn {

/// The products of a first layer whose samples are sparse rows: A costs the stored values times
/// M_1, whatever the number of features, and so does dW. The bits are those of FullProducts with
/// the same samples, see Note [Sums over the terms that are there].
///
/// dW has the rows of the active features alone, packed against its end: see Note [Compact
/// gradients]. What is before them is left as it was. The layer has no dX.
template <class T>
class SparseProducts final : public LayerProducts<T> {
 public:
  /// `products`: for dB. Both must outlive this. `kernel`: one of tile_kernels().
  SparseProducts(MatrixView<const T> W, DenseProducts<T>& products,
                 const TileKernel<T>& kernel = tile_kernels<T>().front());

  void values_changed() override {}
  /// `X`: sparse.
  void forward(const InputRows<T>& X, MatrixView<T> A, const Epilogue& epilogue) override;
  /// `X`: sparse, with its columns.
  void begin_backward(const InputRows<T>& X, MatrixView<const T> dA,
                      std::span<const Range> shards) override;
  void backward_parameters(std::span<const ShardSum<T>> sums) override;
  /// Throws std::logic_error: nothing is below a first layer.
  void backward_input(MatrixView<T> dX, const Epilogue& epilogue) override;
  [[nodiscard]] T largest_gradient(std::span<const ShardSum<T>> sums) override;

 private:
  /// Stored values of one feature, as indices into columns_.
  struct Terms {
    std::size_t begin;
    std::size_t end;
  };

  void sum_feature(Terms terms, Range shards, std::span<T> to, std::span<T> room) const;
  void add_up(Terms terms, Range node, std::span<T> to, std::span<T> room) const;
  void sum_terms(Terms terms, std::span<T> to) const;
  [[nodiscard]] std::size_t first_term(Terms terms, std::size_t sample) const;
  [[nodiscard]] MatrixView<const T> no_features() const { return {nullptr, dA_.rows, 0}; }

  MatrixView<const T> W_;
  DenseProducts<T>& products_;
  TileKernel<T> kernel_;
  ActiveColumns<T> columns_;
  MatrixView<const T> dA_;
  std::span<const Range> shards_;
};

}  // namespace dnn
