#include "dnn/nn/network.hpp"

#include <algorithm>
#include <cassert>
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
                    ProductPrecision products, PartialSums<T>* group, ProductCut cut,
                    BlockSums<T>* block_sums)
    : dropout_(dropout), group_(group), cut_(cut), block_sums_(block_sums) {
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
    if (products == ProductPrecision::bf16 &&
        layout.widths()[layers_.size() + 1] >= narrowest_in_bf16) {
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
    use_gradients(gradients);
  }
  hold_blocks(layout, max_batch);
}

template <class T>
void Network<T>::hold_blocks(const ParameterLayout& layout, std::size_t max_batch) {
  const Range held = layout.held_blocks();
  if (layout.class_blocks() > 1) {
    const std::size_t first = layers_.back().first_node;
    std::vector<Range> blocks;
    for (std::size_t b = held.begin; b < held.end; ++b) {
      const Range classes = layout.class_block(b);
      blocks.push_back({classes.begin - first, classes.end - first});
    }
    block_products_.emplace(std::move(blocks));
    if (block_sums_ == nullptr && layers_.back().dW.data != nullptr) {
      throw std::invalid_argument("Network: blocks of classes without their sums");
    }
  }
  if (block_sums_ != nullptr && layers_.size() > 1) {
    inputs_of_blocks_ = AlignedBuffer<T>(held.size() * (max_batch * layers_.back().W.rows + 1));
    dX_of_blocks_.resize(held.size());
    block_inputs_.resize(held.size());
  }
}

template <class T>
void Network<T>::use_gradients(std::span<T> gradients) {
  for (Layer& layer : layers_) {
    layer.dW = {gradients.data() + layer.weights.begin, layer.W.rows, layer.W.cols};
    layer.dB = gradients.subspan(layer.bias.begin, layer.bias.size());
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
T Network<T>::backward(MatrixView<const T> X, T largest_input,
                       const std::function<void(const LayerGradients<T>&)>& ready) {
  // Sums of bounds: what is infinite or NaN stays so.
  T of_some = layers_.front().split != LayerSplit::whole ? std::numeric_limits<T>::infinity() : 0;
  T untold = 0;  // of the split layers since the last sum
  const T scale = dropped_ ? static_cast<T>(1 / (1 - dropout_)) : T{1};
  MatrixView<const T> dA = layers_.back().X.top(X.rows);
  for (std::size_t n = layers_.size(); n-- > 0;) {
    Layer& layer = layers_[n];
    const MatrixView<const T> input = n == 0 ? X : layers_[n - 1].X.top(X.rows);
    const MatrixView<T> below{dA_[n % 2].data(), X.rows, layer.W.rows};
    const bool partial = n > 0 && sums(layer, LayerSplit::columns);
    const bool early = partial && !layer.bf16;  // bf16 has dA rounded by the parameters' product
    const bool in_blocks = n > 0 && n + 1 == layers_.size() && block_sums_ != nullptr;
    assert(layer.dW.data != nullptr);
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
    multiply_backward(layer, input, dA);
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
void Network<T>::multiply_forward(Layer& layer, MatrixView<const T> X, MatrixView<T> A) {
  if constexpr (std::is_same_v<T, float>) {
    if (layer.bf16) {
      layer.bf16->forward(X, A);
      return;
    }
  }
  if (auto* products = products_of(layer)) {
    products->forward(X, layer.W, A);
    return;
  }
  dense_forward(X, layer.W, A, cut_);
}

template <class T>
void Network<T>::multiply_backward(Layer& layer, MatrixView<const T> X, MatrixView<const T> dA) {
  if constexpr (std::is_same_v<T, float>) {
    if (layer.bf16) {
      layer.bf16->backward_parameters(dA, layer.dW);
      bias_gradient(dA, layer.dB);
      return;
    }
  }
  if (auto* products = products_of(layer)) {
    products->backward_parameters(X, dA, layer.dW);
    bias_gradient(dA, layer.dB);
    return;
  }
  dense_backward_parameters(X, dA, layer.dW, layer.dB, cut_);
}

template <class T>
void Network<T>::multiply_input(Layer& layer, MatrixView<const T> dA, MatrixView<T> dX) {
  if constexpr (std::is_same_v<T, float>) {
    if (layer.bf16) {
      layer.bf16->backward_input(dX);
      return;
    }
  }
  dense_backward_input(dA, layer.W, dX, cut_);
}

/// dX of each block held, and a bound that all blocks are to hear of. The dX of a single block is
/// the product as in a network without blocks.
template <class T>
void Network<T>::multiply_input_in_blocks(Layer& layer, MatrixView<const T> dA, T bound) {
  T* next = inputs_of_blocks_.data();
  for (std::size_t b = 0; b < dX_of_blocks_.size(); ++b) {
    dX_of_blocks_[b] = {next, dA.rows, layer.W.rows};
    block_inputs_[b] = {next, dX_of_blocks_[b].size() + 1};
    block_inputs_[b].back() = b == 0 ? bound : 0;
    next += block_inputs_[b].size();
  }
  if (auto* products = products_of(layer)) {
    products->backward_input(dA, layer.W, dX_of_blocks_);
  } else if (!dX_of_blocks_.empty()) {
    multiply_input(layer, dA, dX_of_blocks_.front());
  }
}

template class Network<float>;
template class Network<double>;

}  // namespace dnn
