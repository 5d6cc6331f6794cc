#include "dnn/nn/network.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include "dnn/core/largest_magnitude.hpp"
#include "dnn/nn/dense.hpp"
#include "dnn/nn/relu.hpp"

namespace dnn {

namespace {

/// Narrower layers gain nothing from bf16 products (10 classes: 1.0 times; tests/bench), so they
/// stay exact.
constexpr std::size_t narrowest_in_bf16 = 32;

/// What rounding (of sums, and of operands to bf16) can add to a product, with room to spare.
constexpr int rounding = 2;

template <class T>
T largest(MatrixView<const T> matrix) {
  return largest_magnitude(std::span<const T>(matrix.data, matrix.size()));
}

}  // namespace

template <class T>
Network<T>::Network(const ParameterLayout& layout, std::span<const T> values,
                    std::span<T> gradients, std::size_t max_batch, double dropout,
                    ProductKind products, PartialSums<T>* group, BlockSums<T>* block_sums)
    : dropout_(dropout), group_(group), block_sums_(block_sums) {
  std::size_t nodes = 0;
  std::size_t widest_hidden = 0;
  for (const LayerLayout& layer : layout.layers()) {
    nodes += layer.outputs;
    if (&layer != &layout.layers().back()) {
      widest_hidden = std::max(widest_hidden, layer.outputs);
    }
  }
  nodes_ = AlignedBuffer<T>(nodes * max_batch);
  T* next = nodes_.data();
  for (const LayerLayout& layer : layout.layers()) {
    Layer views;
    views.W = {values.data() + layer.weights.begin, layer.inputs, layer.outputs};
    views.B = values.subspan(layer.bias.begin, layer.bias.size());
    views.weights = layer.weights;
    views.bias = layer.bias;
    views.split = layer.split;
    views.first_node = layer.columns.begin;
    views.X = {next, max_batch, layer.outputs};
    next += views.X.size();
    if (products == ProductKind::bf16 && layout.widths()[layers_.size() + 1] >= narrowest_in_bf16) {
      const auto backward = gradients.empty() ? Bf16Dense::Backward::none
                            : layers_.empty() ? Bf16Dense::Backward::parameters
                                              : Bf16Dense::Backward::parameters_and_input;
      views.bf16.emplace(layer.inputs, layer.outputs, max_batch, backward);
    }
    layers_.push_back(std::move(views));
  }
  if (!gradients.empty()) {
    for (AlignedBuffer<T>& buffer : dA_) {
      buffer = AlignedBuffer<T>(widest_hidden * max_batch + 1);
    }
    use_gradients({{{0, 1}, gradients}});
  }
  hold_blocks(layout, max_batch);
}

template <class T>
void Network<T>::hold_blocks(const ParameterLayout& layout, std::size_t max_batch) {
  if ((block_sums_ != nullptr && has_bf16()) ||
      (block_sums_ == nullptr && layout.class_blocks() > 1 && !layers_.back().sums.empty())) {
    throw std::invalid_argument("Network: blocks of classes without their sums, or in bf16");
  }
  if (block_sums_ == nullptr || layers_.size() == 1) {
    return;
  }
  const Range held = layout.held_blocks();
  const std::size_t first = layers_.back().first_node;
  for (std::size_t b = held.begin; b < held.end; ++b) {
    const Range classes = layout.class_block(b);
    blocks_.push_back({classes.begin - first, classes.end - first});
  }
  inputs_of_blocks_ = AlignedBuffer<T>(held.size() * (max_batch * layers_.back().W.rows + 1));
  block_inputs_.resize(held.size());
}

template <class T>
bool Network<T>::has_bf16() const {
  return std::ranges::any_of(layers_, [](const Layer& layer) { return layer.bf16.has_value(); });
}

template <class T>
void Network<T>::use_shards(const std::vector<NodeGradients<T>>& nodes) {
  if (has_bf16()) {
    throw std::invalid_argument("Network: products in bf16 do not sum shards");
  }
  has_shards_ = true;
  use_gradients(nodes);
}

template <class T>
void Network<T>::use_gradients(const std::vector<NodeGradients<T>>& nodes) {
  for (Layer& layer : layers_) {
    layer.sums.clear();
    for (const NodeGradients<T>& node : nodes) {
      layer.sums.push_back(
          {node.shards,
           {node.gradients.data() + layer.weights.begin, layer.W.rows, layer.W.cols},
           node.gradients.subspan(layer.bias.begin, layer.bias.size())});
    }
  }
}

template <class T>
MatrixView<T> Network<T>::forward(MatrixView<const T> X, const DropoutKey* key) {
  const DropoutKey* dropping = dropout_ > 0 ? key : nullptr;
  dropped_ = dropping != nullptr;
  MatrixView<const T> input = X;
  for (std::size_t n = 0; n < layers_.size(); ++n) {
    Layer& layer = layers_[n];
    const MatrixView<T> output = layer.X.top(X.rows);
    multiply_forward(layer, input, output);
    if (sums(layer, LayerSplit::rows)) {
      group_->sum({output.data, output.size()});
    }
    if (n + 1 == layers_.size()) {
      add_bias(output, layer.B);
      return output;
    }
    add_bias_relu(output, layer.B);
    if (dropping != nullptr) {
      apply_dropout(output, dropout_, n + 1, *dropping, layer.first_node);
    }
    input = output;
  }
  return {};
}

template <class T>
T Network<T>::backward(MatrixView<const T> X, T largest_input, std::span<const Range> shards,
                       const std::function<void(const LayerGradients<T>&)>& ready) {
  // Sums of bounds: what is infinite or NaN stays so.
  T of_some = layers_.front().split != LayerSplit::whole ? std::numeric_limits<T>::infinity() : 0;
  T untold = 0;  // of the split layers since the last sum
  const T scale = dropped_ ? static_cast<T>(1 / (1 - dropout_)) : T{1};
  MatrixView<const T> dA = layers_.back().X.top(X.rows);
  const Range all_rows{0, X.rows};
  for (std::size_t n = layers_.size(); n-- > 0;) {
    Layer& layer = layers_[n];
    const MatrixView<const T> input = n == 0 ? X : layers_[n - 1].X.top(X.rows);
    const MatrixView<T> below{dA_[n % 2].data(), X.rows, layer.W.rows};
    const bool partial = n > 0 && sums(layer, LayerSplit::columns);
    const bool early = partial && !layer.bf16;  // bf16 has dA rounded by the parameters' product
    const bool in_blocks = n > 0 && n + 1 == layers_.size() && block_sums_ != nullptr;
    // 1 is what B is multiplied with; std::max returns a NaN that comes first.
    const T largest_x = std::max(n == 0 ? largest_input : largest(input), T{1});
    const T bound = rounding * static_cast<T>(X.rows) * largest_x * largest(dA);
    untold += layer.split != LayerSplit::whole ? bound : 0;
    const auto with_untold = [&] {
      below.data[below.size()] = untold;
      return std::span<T>(below.data, below.size() + 1);
    };
    if (in_blocks) {
      multiply_input_in_blocks(layer, dA, untold);
      block_sums_->begin(block_inputs_, {below.data, below.size() + 1});
    } else if (early) {
      multiply_input(layer, dA, below);
      group_->begin(with_untold());
    }
    current_ = {&layer, input, dA, has_shards_ ? shards : std::span(&all_rows, 1)};
    multiply_backward();
    ready({n + 1, {layer.weights.begin, layer.bias.end}, bound});
    if (n > 0) {
      if (in_blocks) {
        block_sums_->finish();
      } else if (early) {
        group_->finish();
      } else {
        multiply_input(layer, dA, below);
        if (partial) {
          group_->sum(with_untold());
        }
      }
      if (partial || in_blocks) {
        of_some += below.data[below.size()];
        untold = 0;
      }
      relu_backward(input, scale, below);
      dA = below;
    }
  }
  return of_some;
}

template <class T>
std::size_t Network<T>::first_nonfinite_layer(std::size_t samples) const {
  for (std::size_t n = 0; n < layers_.size(); ++n) {
    if (!std::isfinite(largest<T>(layers_[n].X.top(samples)))) {
      return n + 1;
    }
  }
  return 0;
}

template <class T>
void Network<T>::values_changed() {
  if constexpr (std::is_same_v<T, float>) {
    for (Layer& layer : layers_) {
      if (layer.bf16) {
        layer.bf16->set_weights(layer.W);
      }
    }
  }
}

template <class T>
T Network<T>::largest_gradient() {
  if (!current_.layer->bf16) {
    return products_.largest_gradient(current_.X, current_.dA, current_.shards);
  }
  const ShardSum<T>& sum = current_.layer->sums.front();
  const T of_bias = largest_magnitude(std::span<const T>(sum.dB));
  return std::max(of_bias, largest<T>(sum.dW));  // a NaN that comes first is returned
}

template <class T>
void Network<T>::multiply_forward(Layer& layer, MatrixView<const T> X, MatrixView<T> A) {
  if constexpr (std::is_same_v<T, float>) {
    if (layer.bf16) {
      layer.bf16->forward(X, A);
      return;
    }
  }
  products_.forward(X, layer.W, A);
}

/// The gradients of the current layer.
template <class T>
void Network<T>::multiply_backward() {
  const auto& [layer, X, dA, shards] = current_;
  if constexpr (std::is_same_v<T, float>) {
    if (layer->bf16) {
      const ShardSum<T>& sum = layer->sums.front();
      layer->bf16->backward_parameters(dA, sum.dW);
      bias_gradient(dA, sum.dB);
      return;
    }
  }
  products_.backward_parameters(X, dA, shards, layer->sums);
}

template <class T>
void Network<T>::multiply_input(Layer& layer, MatrixView<const T> dA, MatrixView<T> dX) {
  if constexpr (std::is_same_v<T, float>) {
    if (layer.bf16) {
      layer.bf16->backward_input(dX);
      return;
    }
  }
  products_.backward_input(dA, layer.W, {0, dA.cols}, dX);
}

/// dX of each block held, and a bound that all blocks are to hear of.
template <class T>
void Network<T>::multiply_input_in_blocks(Layer& layer, MatrixView<const T> dA, T bound) {
  const std::size_t size = dA.rows * layer.W.rows;
  for (std::size_t b = 0; b < blocks_.size(); ++b) {
    block_inputs_[b] = inputs_of_blocks_.span().subspan(b * (size + 1), size + 1);
    block_inputs_[b].back() = b == 0 ? bound : 0;
    products_.backward_input(dA, layer.W, blocks_[b],
                             {block_inputs_[b].data(), dA.rows, layer.W.rows});
  }
}

template class Network<float>;
template class Network<double>;

}  // namespace dnn
