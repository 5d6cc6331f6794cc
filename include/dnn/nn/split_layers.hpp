#pragma once

#include <memory>
#include <span>
#include <vector>

#include "dnn/nn/block_sums.hpp"
#include "dnn/nn/layer.hpp"
#include "dnn/nn/partial_sums.hpp"
#include "dnn/products/dense_products.hpp"

namespace dnn {

// The layers of a network that several ranks hold together, see Note [A network on several ranks].
// Their forward and backward_input are collective over the group.

/// A layer of which this rank has some columns of W: its dX is a part of a sum over the group. That
/// sum is taken while the layer's own gradients are computed.
template <class T>
class ColumnLayer final : public Layer<T> {
 public:
  /// `group` must outlive the layer.
  ColumnLayer(const LayerPlace<T>& place, std::unique_ptr<LayerProducts<T>> products,
              PartialSums<T>& group);

  T backward_input(MatrixView<const T> dA, const LayerBelow<T>& below, GradientBounds<T>& bounds,
                   const std::function<void()>& parameters) override;

 private:
  PartialSums<T>& group_;
};

/// A layer of which this rank has some rows of W: its X W is a part of a sum over the group.
template <class T>
class RowLayer final : public Layer<T> {
 public:
  /// `group` must outlive the layer.
  RowLayer(const LayerPlace<T>& place, std::unique_ptr<LayerProducts<T>> products,
           PartialSums<T>& group);

  void forward(const InputRows<T>& X, const DropoutKey* key) override;

 private:
  PartialSums<T>& group_;
};

/// A last layer whose classes are in blocks (see Note [Class blocks]): dX is summed over each block
/// first, then over the blocks, while the layer's own gradients are computed.
template <class T>
class ClassBlockLayer final : public Layer<T> {
 public:
  /// `blocks`: those held, as columns of W. `products` and `block_sums` must outlive the layer.
  ClassBlockLayer(const LayerPlace<T>& place, DenseProducts<T>& products, std::vector<Range> blocks,
                  BlockSums<T>& block_sums);

  T backward_input(MatrixView<const T> dA, const LayerBelow<T>& below, GradientBounds<T>& bounds,
                   const std::function<void()>& parameters) override;

 private:
  DenseProducts<T>& dense_products_;
  std::vector<Range> blocks_;
  BlockSums<T>& block_sums_;
  AlignedBuffer<T> inputs_of_blocks_;       ///< dX of each block held, and a bound
  std::vector<std::span<T>> block_inputs_;  ///< those of a batch
};

}  // namespace dnn
