#include "dnn/train/layer_norms.hpp"

#include <bit>
#include <cmath>
#include <cstdint>

#include "dnn/core/largest_magnitude.hpp"
#include "dnn/core/sum_of_squares.hpp"

namespace dnn {

template <class T>
std::vector<LayerNorms> LayerNorms::of(const RankGrid& grid, const ParameterLayout& layout,
                                       std::span<const T> flat) {
  // One rank of those that hold the same counts it.
  std::vector<std::span<const T>> counted;  // W and B of each layer in turn
  const auto add = [&](Range range, bool is_split) {
    const bool counts = grid.data_shard() == 0 && (is_split || grid.model_shard() == 0);
    counted.push_back(flat.subspan(range.begin, counts ? range.size() : 0));
  };
  for (const LayerLayout& layer : layout.layers()) {
    add(layer.weights, layer.split != LayerSplit::whole);
    add(layer.bias, layer.split == LayerSplit::columns);
  }

  std::vector<std::uint64_t> largest;  // as bits, which are ordered as the numbers are
  largest.reserve(counted.size());
  for (const std::span<const T> values : counted) {
    largest.push_back(std::bit_cast<std::uint64_t>(static_cast<double>(largest_magnitude(values))));
  }
  grid.world().all_reduce(std::span(largest), Reduction::max);

  std::vector<std::uint64_t> words;
  words.reserve(2 * counted.size());
  for (std::size_t i = 0; i < counted.size(); ++i) {
    const auto bound = std::bit_cast<double>(largest[i]);
    const SumOfSquares squares =
        std::isfinite(bound) ? sum_of_squares(counted[i], exponent_above(bound)) : SumOfSquares{};
    words.push_back(squares.high);
    words.push_back(squares.low);
  }
  grid.world().all_reduce(std::span(words), Reduction::sum);

  const auto norm = [&](std::size_t i) {
    const auto bound = std::bit_cast<double>(largest[i]);
    return std::isfinite(bound)
               ? SumOfSquares{words[2 * i], words[2 * i + 1]}.norm(exponent_above(bound))
               : bound;
  };
  std::vector<LayerNorms> norms;
  norms.reserve(layout.layers().size());
  for (std::size_t n = 0; n < layout.layers().size(); ++n) {
    norms.push_back({norm(2 * n), norm(2 * n + 1)});
  }
  return norms;
}

template std::vector<LayerNorms> LayerNorms::of(const RankGrid&, const ParameterLayout&,
                                                std::span<const float>);
template std::vector<LayerNorms> LayerNorms::of(const RankGrid&, const ParameterLayout&,
                                                std::span<const double>);

}  // namespace dnn
