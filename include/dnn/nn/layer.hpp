#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "dnn/core/aligned_buffer.hpp"
#include "dnn/core/input_rows.hpp"
#include "dnn/core/largest_magnitude.hpp"
#include "dnn/core/matrix.hpp"
#include "dnn/nn/dropout.hpp"
#include "dnn/nn/gradient_bounds.hpp"
#include "dnn/nn/parameter_layout.hpp"
#include "dnn/products/layer_products.hpp"

namespace dnn {

/// The place of a layer in its network: its number, parameters, and what follows it.
template <class T>
struct LayerPlace {
  std::size_t number = 0;  ///< n, from 1
  LayerLayout layout;
  MatrixView<const T> W;
  std::span<const T> B;
  bool hidden = false;  ///< ReLU follows, and dropout; else its output are the logits
  double dropout = 0;   ///< the rate, [0, 1)
  std::size_t max_batch = 0;
};

/// The layer below, of which backward_input computes dA.
template <class T>
struct LayerBelow {
  MatrixView<const T> X;  ///< S x M_{n-1}, its node values
  T scale = 1;            ///< dropout's factor of those that were not dropped
  MatrixView<T> dA;       ///< S x M_{n-1}; its memory has room for one element more
};

/// A dense layer of which this rank has all: its node values and its way through the equations.
/// Layers that several ranks hold together derive from it: ColumnLayer, RowLayer, ClassBlockLayer.
template <class T>
class Layer {
 public:
  Layer(const LayerPlace<T>& place, std::unique_ptr<LayerProducts<T>> products);
  virtual ~Layer() = default;
  Layer(const Layer&) = delete;
  Layer& operator=(const Layer&) = delete;

  /// Computes the node values (logits in the last layer) of X (S x M_{n-1}) [Challa 2022, eq. 7, 8,
  /// 20]. `key` draws the dropout mask; null: no dropout.
  virtual void forward(const InputRows<T>& X, const DropoutKey* key);

  /// dA^{n-1} = (dA Wᵀ) ⊙ [X^{n-1} > 0] · scale [Challa 2022, eq. 21-23], after
  /// products().begin_backward. Calls `parameters` once, when the layer's own gradients are to be
  /// computed. Returns the largest |dA^{n-1}|, NaN if one is NaN.
  virtual T backward_input(MatrixView<const T> dA, const LayerBelow<T>& below,
                           GradientBounds<T>& bounds, const std::function<void()>& parameters);

  /// From now on dW and dB are summed to each of these nodes of the tree over a batch's shards.
  void set_sums(std::vector<ShardSum<T>> sums) { sums_ = std::move(sums); }
  [[nodiscard]] std::span<const ShardSum<T>> sums() const { return sums_; }

  [[nodiscard]] const LayerPlace<T>& place() const { return place_; }
  [[nodiscard]] bool is_split() const { return place_.layout.split != LayerSplit::whole; }
  [[nodiscard]] LayerProducts<T>& products() { return *products_; }
  /// The node values of the first `samples` samples; valid, and may be written, until forward.
  [[nodiscard]] MatrixView<T> output(std::size_t samples) { return output_.top(samples); }
  /// No |node value| of the last forward is above it; NaN if one is NaN.
  [[nodiscard]] T largest_output() const { return largest_output_.value(); }

 protected:
  /// Adds the bias, cuts at zero and drops nodes in a piece of A, which becomes X.
  void activate(MatrixView<T> A, const DropoutKey* key, Range rows, Range columns);
  /// Turns a complete dX, which is stored in below.dA, into the dA of the layer below.
  T mask(const LayerBelow<T>& below);

  LargestOf<T> largest_output_;

 private:
  LayerPlace<T> place_;
  std::unique_ptr<LayerProducts<T>> products_;
  std::vector<ShardSum<T>> sums_;
  AlignedBuffer<T> nodes_;
  MatrixView<T> output_;
};

}  // namespace dnn
