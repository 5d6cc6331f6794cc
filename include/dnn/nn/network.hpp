#pragma once

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "dnn/core/aligned_buffer.hpp"
#include "dnn/core/matrix.hpp"
#include "dnn/core/partition.hpp"
#include "dnn/nn/bf16_dense.hpp"
#include "dnn/nn/block_sums.hpp"
#include "dnn/nn/dense_products.hpp"
#include "dnn/nn/dropout.hpp"
#include "dnn/nn/parameter_layout.hpp"
#include "dnn/nn/partial_sums.hpp"

namespace dnn {

/// How a network's products are computed. full: in the type of all its numbers and in one order of
/// every sum, see DenseProducts; bf16: operands rounded to bf16 and sums in float, in oneDNN's
/// order, for networks of float.
enum class ProductKind { full, bf16 };

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
  /// looking at them: |dW_ij| = |Σ_s X_si dA_sj| <= S max |X| max |dA|, and X and dA are far
  /// smaller than dW.
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
  /// `max_batch`: the most samples of a batch. `dropout`: the rate after every hidden layer, [0,
  /// 1). A network whose `gradients` are empty cannot go backward.
  /// `group`: of a network on several ranks; must outlive it. Without, `layout` is whole.
  /// `block_sums`: of a network with blocks of classes (see Note [Class blocks]), whose products
  /// are not in bf16; must outlive it; not needed where it never goes backward. Throws
  /// std::runtime_error where this processor cannot multiply as `products` says.
  Network(const ParameterLayout& layout, std::span<const T> values, std::span<T> gradients,
          std::size_t max_batch, double dropout = 0, ProductKind products = ProductKind::full,
          PartialSums<T>* group = nullptr, BlockSums<T>* block_sums = nullptr);

  /// From now on a batch consists of shards, whose gradients are summed to each of `nodes`, in
  /// buffers as large as the one given before. Throws std::invalid_argument if products are in
  /// bf16.
  void use_shards(const std::vector<NodeGradients<T>>& nodes);

  /// To be called before the first forward and whenever the values have changed: products in bf16
  /// work on rounded copies of W.
  void values_changed();

  /// The logits A^N (S x M_N, or the columns held) of X^0 (S x M_0), S <= max_batch. `key` draws
  /// the dropout masks; null runs without dropout. The view is valid, and may be written, until the
  /// next call. With a group, collective over it, as backward is.
  MatrixView<T> forward(MatrixView<const T> X, const DropoutKey* key = nullptr);

  /// After forward(X): the first layer, from 1, one of whose outputs is NaN or infinite; 0: none
  /// is.
  [[nodiscard]] std::size_t first_nonfinite_layer(std::size_t samples) const;

  /// After forward(X): writes dW and dB of every layer, last layer first, into the gradients, from
  /// dA^N, which the caller has put in place of the logits. All of them are taken with the values
  /// that forward used: the update is deferred until every layer is done.
  /// `ready` hears of each layer's gradients as soon as they are complete. `largest_input`: no
  /// |X^0| is above it. `shards`: the rows of each, one after the other, as many as use_shards was
  /// told of; where it was not called, all rows are one, and `shards` is not looked at.
  /// Returns, with a group, a number that no |dW| or |dB| is above which only some of its ranks
  /// have, the same on all of them; infinity or NaN where that cannot be said, as where the first
  /// layer is split. The bounds of the split layers' gradients travel with the sums of dX.
  T backward(MatrixView<const T> X, T largest_input, std::span<const Range> shards,
             const std::function<void(const LayerGradients<T>&)>& ready);

  /// Within `ready`: the largest |dW| or |dB| of any shard of that layer; NaN where one is.
  [[nodiscard]] T largest_gradient();

 private:
  struct Layer {
    MatrixView<const T> W;
    std::span<const T> B;
    std::vector<ShardSum<T>> sums;  ///< dW and dB of each node of the tree; without shards, one
    Range weights;                  ///< in the flat buffers
    Range bias;
    LayerSplit split = LayerSplit::whole;
    std::size_t first_node = 0;  ///< of those held
    MatrixView<T> X;             ///< node values (logits in the last layer), max_batch x M_n
    std::optional<Bf16Dense> bf16;
  };

  void use_gradients(const std::vector<NodeGradients<T>>& nodes);
  void hold_blocks(const ParameterLayout& layout, std::size_t max_batch);
  void multiply_forward(Layer& layer, MatrixView<const T> X, MatrixView<T> A);
  void multiply_backward();
  void multiply_input(Layer& layer, MatrixView<const T> dA, MatrixView<T> dX);
  void multiply_input_in_blocks(Layer& layer, MatrixView<const T> dA, T bound);
  [[nodiscard]] bool has_bf16() const;
  [[nodiscard]] bool sums(const Layer& layer, LayerSplit split) const {
    return group_ != nullptr && layer.split == split;
  }

  std::vector<Layer> layers_;
  AlignedBuffer<T> nodes_;
  AlignedBuffer<T> dA_[2];  ///< dA^n and dA^{n-1} of the hidden layers, in turns, and a bound
  double dropout_;
  PartialSums<T>* group_;                   ///< null: the network is whole
  DenseProducts<T> products_;               ///< of layers that are not in bf16
  BlockSums<T>* block_sums_;                ///< null: dX of the last layer is no sum over blocks
  std::vector<Range> blocks_;               ///< those held, as columns of the last layer's W
  AlignedBuffer<T> inputs_of_blocks_;       ///< dX of each block held, and a bound
  std::vector<std::span<T>> block_inputs_;  ///< those of a batch
  bool has_shards_ = false;
  bool dropped_ = false;  ///< whether the last forward drew masks
  /// The layer whose gradients are being computed.
  struct {
    Layer* layer = nullptr;
    MatrixView<const T> X, dA;
    std::span<const Range> shards;
  } current_;
};

}  // namespace dnn
