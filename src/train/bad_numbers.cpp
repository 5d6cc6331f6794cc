#include "dnn/train/bad_numbers.hpp"

#include <algorithm>
#include <cmath>
#include <span>

namespace dnn {

namespace {

/// `first_class`: whose logits are the first column.
template <class T>
void add_suspects(MatrixView<const T> logits, std::span<const std::uint64_t> samples,
                  std::size_t first_class, BadNumbers& bad) {
  for (std::size_t s = 0; s < logits.rows; ++s) {
    const std::span<const T> row = logits.row(s);
    const auto found =
        std::find_if(row.begin(), row.end(), [](T logit) { return !std::isfinite(logit); });
    if (found == row.end()) {
      continue;
    }
    if (bad.samples.empty()) {
      bad.class_index = first_class + static_cast<std::size_t>(found - row.begin());
    }
    bad.samples.push_back(samples[s]);
  }
}

}  // namespace

std::string name_of_layer(const ParameterLayout& layout, std::size_t layer) {
  return "layer " + std::to_string(layer) + " of " + std::to_string(layout.layers().size());
}

template <class T>
void find_suspects(Network<T>& network, const ParameterLayout& layout, const Batch<T>& batch,
                   const DropoutKey& key, std::optional<BadNumbers>& bad) {
  const MatrixView<const T> logits = network.forward(batch.X, &key);
  if (!bad) {
    return;
  }
  if (const std::size_t layer = network.first_nonfinite_layer(); layer > 0) {
    bad->origin = name_of_layer(layout, layer);
  }
  add_suspects(logits, batch.samples, layout.layers().back().columns.begin, *bad);
  if (bad->samples.empty()) {
    bad->samples.assign(batch.samples.begin(), batch.samples.end());
  }
}

template void find_suspects(Network<float>&, const ParameterLayout&, const Batch<float>&,
                            const DropoutKey&, std::optional<BadNumbers>&);
template void find_suspects(Network<double>&, const ParameterLayout&, const Batch<double>&,
                            const DropoutKey&, std::optional<BadNumbers>&);

}  // namespace dnn
