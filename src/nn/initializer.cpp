#include "dnn/nn/initializer.hpp"

#include <algorithm>
#include <cmath>

#include "dnn/core/random.hpp"

namespace dnn {

template <class T>
void initialize(const ParameterLayout& layout, Initializer initializer, std::uint64_t seed,
                std::span<T> values) {
  std::fill(values.begin(), values.end(), T{0});
  std::uint64_t n = 0;
  for (const LayerLayout& layer : layout.layers()) {
    const auto fan_in = static_cast<double>(layer.inputs);
    const auto fan_out = static_cast<double>(layer.outputs);
    const double variance = initializer == Initializer::he ? 2 / fan_in : 2 / (fan_in + fan_out);
    const double limit = std::sqrt(3 * variance);  // U(-l, l) has the variance l²/3
    const RandomStream stream(seed, Purpose::initial_values, ++n);
    const std::span<T> W = values.subspan(layer.weights.begin, layer.weights.size());
    for (std::size_t first = 0; first < W.size(); first += 4) {
      const auto words = stream.block(static_cast<std::uint32_t>(first / 4));
      for (std::size_t k = 0; k < std::min<std::size_t>(4, W.size() - first); ++k) {
        W[first + k] = static_cast<T>(limit * (2 * unit_interval(words[k]) - 1));
      }
    }
  }
}

template void initialize(const ParameterLayout&, Initializer, std::uint64_t, std::span<float>);
template void initialize(const ParameterLayout&, Initializer, std::uint64_t, std::span<double>);

}  // namespace dnn
