#include "dnn/nn/initializer.hpp"

#include <algorithm>
#include <cmath>

#include "dnn/core/random.hpp"

namespace dnn {

namespace {

/// Elements `first`, `first` + 1, ... of a whole W, row by row.
template <class T>
void draw(const RandomStream& stream, std::size_t first, double limit, std::span<T> W) {
  for (std::size_t i = 0; i < W.size();) {
    const auto words = stream.block(static_cast<std::uint32_t>((first + i) / 4));
    for (std::size_t k = (first + i) % 4; k < 4 && i < W.size(); ++k, ++i) {
      W[i] = static_cast<T>(limit * (2 * unit_interval(words[k]) - 1));
    }
  }
}

}  // namespace

template <class T>
void initialize(const ParameterLayout& layout, Initializer initializer, std::uint64_t seed,
                std::span<T> values) {
  std::fill(values.begin(), values.end(), T{0});
  std::uint64_t n = 0;
  for (const LayerLayout& layer : layout.layers()) {
    const std::size_t outputs = layout.widths()[++n];
    const auto fan_in = static_cast<double>(layout.widths()[n - 1]);
    const auto fan_out = static_cast<double>(outputs);
    const double variance =
        initializer == Initializer::xavier ? 2 / (fan_in + fan_out) : 2 / fan_in;
    const double limit = std::sqrt(3 * variance);  // U(-l, l) has the variance l²/3
    const RandomStream stream(seed, Purpose::initial_values, n);
    const std::span<T> W = values.subspan(layer.weights.begin, layer.weights.size());
    for (std::size_t i = 0; i < layer.inputs; ++i) {
      draw(stream, (layer.rows.begin + i) * outputs + layer.columns.begin, limit,
           W.subspan(i * layer.outputs, layer.outputs));
    }
  }
}

template void initialize(const ParameterLayout&, Initializer, std::uint64_t, std::span<float>);
template void initialize(const ParameterLayout&, Initializer, std::uint64_t, std::span<double>);

}  // namespace dnn
