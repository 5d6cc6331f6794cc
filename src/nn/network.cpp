#include "dnn/nn/network.hpp"

#include <algorithm>
#include <cmath>

#include "dnn/core/largest_magnitude.hpp"

namespace dnn {

template <class T>
Network<T>::Network(const ParameterLayout& layout, std::span<const T> values,
                    std::span<T> gradients, const NetworkParts<T>& parts)
    : products_(std::make_unique<DenseProducts<T>>()),
      layers_(make_layers(layout, values, !gradients.empty(), parts, *products_)) {
  if (gradients.empty()) {
    return;
  }
  std::size_t widest_input = 0;
  for (const LayerLayout& layer : std::span(layout.layers()).subspan(1)) {
    widest_input = std::max(widest_input, layer.inputs);
  }
  for (AlignedBuffer<T>& buffer : dA_) {
    buffer = AlignedBuffer<T>(widest_input * parts.max_batch + 1);
  }
  use_shards({{{0, 1}, gradients}});
}

template <class T>
void Network<T>::use_shards(const std::vector<NodeGradients<T>>& nodes) {
  for (const auto& layer : layers_) {
    const LayerLayout& layout = layer->place().layout;
    std::vector<ShardSum<T>> sums;
    for (const NodeGradients<T>& node : nodes) {
      sums.push_back({node.shards,
                      {node.gradients.data() + layout.weights.begin, layout.inputs, layout.outputs},
                      node.gradients.subspan(layout.bias.begin, layout.bias.size())});
    }
    layer->set_sums(std::move(sums));
  }
}

template <class T>
void Network<T>::values_changed() {
  for (const auto& layer : layers_) {
    layer->products().values_changed();
  }
}

template <class T>
MatrixView<T> Network<T>::forward(const InputRows<T>& X0, const DropoutKey* key) {
  dropped_ = key != nullptr;
  InputRows<T> X = X0;
  for (const auto& layer : layers_) {
    layer->forward(X, key);  // eq. 7, 8, 20
    X = layer->output(X.rows());
  }
  return layers_.back()->output(X.rows());
}

template <class T>
T Network<T>::backward(const InputRows<T>& X0, T largest_input, std::span<const Range> shards,
                       const std::function<void(const LayerGradients<T>&)>& ready) {
  const Range all_rows{0, X0.rows()};
  GradientBounds<T> bounds(X0.rows(), layers_.front()->is_split());
  MatrixView<const T> dA = layers_.back()->output(X0.rows());
  T largest_dA = largest_magnitude(std::span<const T>(dA.data, dA.size()));
  for (std::size_t n = layers_.size(); n > 0; --n) {
    Layer<T>& layer = *layers_[n - 1];
    Layer<T>* const below = n > 1 ? layers_[n - 2].get() : nullptr;
    const InputRows<T> X = below != nullptr ? InputRows<T>(below->output(X0.rows())) : X0;
    const T largest_x = below != nullptr ? below->largest_output() : largest_input;
    const T bound = bounds.layer(largest_x, largest_dA, layer.is_split());
    layer.products().begin_backward(X, dA, shards.empty() ? std::span(&all_rows, 1) : shards);
    const auto parameters = [&] {
      layer.products().backward_parameters(layer.sums());  // eq. 18, 19, 24, 25
      current_ = &layer;
      const LayerLayout& layout = layer.place().layout;
      ready({n, {layout.weights.begin, layout.bias.end}, bound});
    };
    if (below == nullptr) {
      first_dA_ = dA;
      parameters();
      break;
    }
    const T scale = dropped_ ? static_cast<T>(1 / (1 - below->place().dropout)) : T{1};
    const MatrixView<const T> X_below = X.dense();
    const MatrixView<T> dA_below{dA_[n % 2].data(), X_below.rows, X_below.cols};
    largest_dA = layer.backward_input(dA, {X_below, scale, dA_below}, bounds,  // eq. 21-23
                                      std::cref(parameters));
    dA = dA_below;
  }
  return bounds.of_some_ranks();
}

template <class T>
std::size_t Network<T>::first_nonfinite_layer() const {
  const auto bad = std::ranges::find_if(
      layers_, [](const auto& layer) { return !std::isfinite(layer->largest_output()); });
  return bad == layers_.end() ? 0 : static_cast<std::size_t>(bad - layers_.begin()) + 1;
}

template <class T>
T Network<T>::largest_gradient() {
  return current_->products().largest_gradient(current_->sums());
}

template class Network<float>;
template class Network<double>;

}  // namespace dnn
