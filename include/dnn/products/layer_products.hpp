#pragma once

// Interface: the three matrix products of one dense layer.

#include <functional>
#include <span>

#include "dnn/core/input_rows.hpp"
#include "dnn/core/matrix.hpp"
#include "dnn/core/partition.hpp"

namespace dnn {

/// Called for every piece of a product, a range of its rows and one of its columns, as soon as the
/// piece is complete and while it is still in the cache. Pieces do not overlap. Several threads may
/// call it at a time. Empty: nothing is called.
using Epilogue = std::function<void(Range rows, Range columns)>;

/// Where the gradients of a node of the tree over shards go, see Note [One tree over logical
/// shards].
template <class T>
struct ShardSum {
  Range shards;  ///< the leaves, as indices of the shards given
  MatrixView<T> dW;
  std::span<T> dB;
};

/// The matrix products of one dense layer of a batch of S samples, for one way of multiplying.
/// Shapes as in the derivation: X is S x M_{n-1}, W is M_{n-1} x M_n, A and dA are S x M_n; any
/// extent may be 0. Results are overwritten. W is given to the constructor.
template <class T>
class LayerProducts {
 public:
  virtual ~LayerProducts() = default;
  LayerProducts(const LayerProducts&) = delete;
  LayerProducts& operator=(const LayerProducts&) = delete;

  /// Must be called before the first product, and whenever W has changed.
  virtual void values_changed() = 0;

  /// A = X W [Challa 2022, eq. 7].
  virtual void forward(const InputRows<T>& X, MatrixView<T> A, const Epilogue& epilogue) = 0;

  /// Takes the dA of the batch of the last forward; X, dA and `shards` must stay as they are until
  /// the products below have been computed, in any order. `shards`: the rows of each, one after the
  /// other from row 0 on.
  virtual void begin_backward(const InputRows<T>& X, MatrixView<const T> dA,
                              std::span<const Range> shards) = 0;

  /// dW = Xᵀ dA and dB = Σ dA [Challa 2022, eq. 18, 19, 24, 25] for each of `sums`.
  virtual void backward_parameters(std::span<const ShardSum<T>> sums) = 0;

  /// dX = dA Wᵀ, the sum in [Challa 2022, eq. 22].
  virtual void backward_input(MatrixView<T> dX, const Epilogue& epilogue) = 0;

  /// After backward_parameters(sums): the largest |dW| or |dB| of any one shard; NaN where one is.
  /// For the rare step whose gradients may be too large to be summed.
  [[nodiscard]] virtual T largest_gradient(std::span<const ShardSum<T>> sums) = 0;

 protected:
  LayerProducts() = default;
};

}  // namespace dnn
