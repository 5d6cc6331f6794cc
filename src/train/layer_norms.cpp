#include "dnn/train/layer_norms.hpp"

#include <cmath>

namespace dnn {

template <class T>
std::vector<LayerNorms> LayerNorms::of(const RankGrid& grid, const ParameterLayout& layout,
                                       std::span<const T> flat) {
  const std::vector<LayerLayout>& layers = layout.layers();
  std::vector<double> squares(2 * layers.size(), 0.0);
  const auto add = [&](double& sum, Range range, bool is_split) {
    // One rank of those that hold the same counts it.
    if (grid.data_shard() == 0 && (is_split || grid.model_shard() == 0)) {
      for (std::size_t i = range.begin; i < range.end; ++i) {
        sum += static_cast<double>(flat[i]) * static_cast<double>(flat[i]);
      }
    }
  };
  for (std::size_t n = 0; n < layers.size(); ++n) {
    add(squares[2 * n], layers[n].weights, layers[n].split != LayerSplit::whole);
    add(squares[2 * n + 1], layers[n].bias, layers[n].split == LayerSplit::columns);
  }
  grid.world().all_reduce(std::span(squares), Reduction::sum);
  std::vector<LayerNorms> norms(layers.size());
  for (std::size_t n = 0; n < layers.size(); ++n) {
    norms[n] = {std::sqrt(squares[2 * n]), std::sqrt(squares[2 * n + 1])};
  }
  return norms;
}

template std::vector<LayerNorms> LayerNorms::of(const RankGrid&, const ParameterLayout&,
                                                std::span<const float>);
template std::vector<LayerNorms> LayerNorms::of(const RankGrid&, const ParameterLayout&,
                                                std::span<const double>);

}  // namespace dnn
