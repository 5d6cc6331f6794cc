#pragma once

// The fully connected network: forward and backward over its layers.

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "dnn/core/aligned_buffer.hpp"
#include "dnn/core/input_rows.hpp"
#include "dnn/core/matrix.hpp"
#include "dnn/core/partition.hpp"
#include "dnn/nn/layer.hpp"
#include "dnn/nn/make_layers.hpp"
#include "dnn/nn/parameter_layout.hpp"
#include "dnn/products/dense_products.hpp"

namespace dnn {

/// Where the gradients of a node of the tree over the shards of a batch go, see Note [One tree over
/// logical shards].
template <class T>
struct NodeGradients {
  Range shards;            ///< the leaves, as indices of this rank's shards
  std::span<T> gradients;  ///< a flat buffer
};

/// dW and dB of a layer, complete.
template <class T>
struct LayerGradients {
  std::size_t layer = 0;  ///< n, from 1
  Range range;            ///< of both in the flat buffers
  /// No |dW| or |dB| of any shard is above it; infinity or NaN where that cannot be said without
  /// looking at them, see GradientBounds.
  T bound = 0;
};

/// The fully connected network: ReLU between layers, logits at the end [Challa 2022, eq. 7-20].
///
/// Holds views into a flat buffer of values and one of gradients that the caller owns (both
/// layout.size() elements, both outliving the network), and owns the node values of one batch.
/// forward and backward allocate nothing for a size of batch that they have seen before.
///
/// Note [A network on several ranks]
/// Each rank of a model group has a network of its own part of the layers (see ParameterLayout) and
/// gets the same samples. A layer split by columns takes all nodes below and gives some of its own;
/// what it sends back, dX = dA Wᵀ, is a part of a sum. A layer split by rows takes some nodes and
/// gives a part of the sum A = X W of all of its own; what it sends back is whole. In between, ReLU
/// and dropout act on the nodes that a rank has. So a pair of a layer by columns and one by rows
/// takes one sum over the group forward (A) and one backward (dX) (Shoeybi et al.,
/// arXiv:1909.08053); a last layer by columns leaves each rank the logits of some of the classes.
template <class T>
class Network {
 public:
  /// A network whose `gradients` are empty cannot go backward. Throws as make_layers does.
  Network(const ParameterLayout& layout, std::span<const T> values, std::span<T> gradients,
          const NetworkParts<T>& parts);

  /// From now on a batch consists of shards, whose gradients are summed to each of `nodes`, in
  /// buffers as large as the one given before. Products in bf16 have no shards: backward throws
  /// std::invalid_argument.
  void use_shards(const std::vector<NodeGradients<T>>& nodes);

  /// To be called before the first forward and whenever the values have changed: products in bf16
  /// work on rounded copies of W.
  void values_changed();

  /// The logits A^N (S x M_N, or the columns held) of X^0 (S x M_0), S <= max_batch. X^0 is sparse
  /// or dense as the network's parts say, else std::logic_error. `key` draws
  /// the dropout masks; null runs without dropout. The view is valid, and may be written, until the
  /// next call. With a group, collective over it, as backward is.
  MatrixView<T> forward(const InputRows<T>& X0, const DropoutKey* key = nullptr);

  /// After forward(X): the first layer, from 1, one of whose outputs is NaN or infinite; 0: none
  /// is.
  [[nodiscard]] std::size_t first_nonfinite_layer() const;

  /// After forward(X): writes dW and dB of every layer, last layer first, into the gradients, from
  /// dA^N, which the caller has put in place of the logits. All of them are taken with the values
  /// that forward used: the update is deferred until every layer is done.
  /// `ready` is called for each layer as soon as its gradients are complete. `largest_input`: no
  /// |X^0| is above it. `shards`: the rows of each, one after the other, as many as the
  /// nodes of use_shards cover; empty: all rows are one shard.
  /// Returns, with a group, a number that no |dW| or |dB| is above which only some of its ranks
  /// have, the same on all of them; infinity or NaN where that cannot be said, as where the first
  /// layer is split. The bounds of the split layers' gradients travel with the sums of dX.
  /// A network with sparse input leaves dW^1 as it is: first_dA() is what it is made from. `ready`
  /// names the whole range of the first layer all the same.
  T backward(const InputRows<T>& X0, T largest_input, std::span<const Range> shards,
             const std::function<void(const LayerGradients<T>&)>& ready);

  /// dA^1 of the last backward (S x M_1), from when `ready` is called for the first layer until the
  /// next forward.
  [[nodiscard]] MatrixView<const T> first_dA() const { return first_dA_; }

  /// Within `ready`: the largest |dW| or |dB| of any shard of that layer; NaN where one is.
  [[nodiscard]] T largest_gradient();

 private:
  std::unique_ptr<DenseProducts<T>> products_;  ///< of all layers that are not in bf16
  std::vector<std::unique_ptr<Layer<T>>> layers_;
  AlignedBuffer<T> dA_[2];  ///< dA^n and dA^{n-1} of the hidden layers, in turns, and a bound
  MatrixView<const T> first_dA_;
  bool dropped_ = false;         ///< whether the last forward drew masks
  Layer<T>* current_ = nullptr;  ///< whose gradients are being computed
};

}  // namespace dnn
