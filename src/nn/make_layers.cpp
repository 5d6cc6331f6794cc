#include "dnn/nn/make_layers.hpp"

#include <stdexcept>
#include <type_traits>
#include <utility>

#include "dnn/nn/split_layers.hpp"
#include "dnn/products/bf16_products.hpp"
#include "dnn/products/full_products.hpp"
#include "dnn/products/sparse_products.hpp"

namespace dnn {

namespace {

/// Narrower layers gain nothing from bf16 products (10 classes: 1.0 times; tests/bench), so they
/// stay exact.
constexpr std::size_t narrowest_in_bf16 = 32;

template <class T>
bool uses_bf16(const ParameterLayout& layout, std::size_t number, const NetworkParts<T>& parts) {
  return parts.products == ProductKind::bf16 && layout.widths()[number] >= narrowest_in_bf16 &&
         !(number == 1 && parts.sparse_input);
}

template <class T>
std::unique_ptr<LayerProducts<T>> make_products(const ParameterLayout& layout,
                                                const LayerPlace<T>& place, bool goes_backward,
                                                const NetworkParts<T>& parts,
                                                DenseProducts<T>& products) {
  if (place.number == 1 && parts.sparse_input) {
    return std::make_unique<SparseProducts<T>>(place.W, products);
  }
  if constexpr (std::is_same_v<T, float>) {
    if (uses_bf16<T>(layout, place.number, parts)) {
      using Backward = Bf16Products::Backward;
      const Backward backward = !goes_backward      ? Backward::none
                                : place.number == 1 ? Backward::parameters
                                                    : Backward::parameters_and_input;
      return std::make_unique<Bf16Products>(place.W, place.max_batch, backward);
    }
  }
  return std::make_unique<FullProducts<T>>(place.W, products);
}

/// The blocks of classes held, as columns of the last layer's W.
std::vector<Range> held_blocks(const ParameterLayout& layout) {
  std::vector<Range> blocks;
  const std::size_t first = layout.layers().back().columns.begin;
  for (std::size_t b = layout.held_blocks().begin; b < layout.held_blocks().end; ++b) {
    const Range classes = layout.class_block(b);
    blocks.push_back({classes.begin - first, classes.end - first});
  }
  return blocks;
}

template <class T>
void check_blocks(const ParameterLayout& layout, bool goes_backward, const NetworkParts<T>& parts) {
  bool some_bf16 = false;
  for (std::size_t n = 1; n < layout.widths().size(); ++n) {
    some_bf16 = some_bf16 || uses_bf16<T>(layout, n, parts);
  }
  if ((parts.block_sums != nullptr && some_bf16) ||
      (parts.block_sums == nullptr && layout.class_blocks() > 1 && goes_backward)) {
    throw std::invalid_argument("Network: blocks of classes without their sums, or in bf16");
  }
}

}  // namespace

template <class T>
std::vector<std::unique_ptr<Layer<T>>> make_layers(const ParameterLayout& layout,
                                                   std::span<const T> values, bool goes_backward,
                                                   const NetworkParts<T>& parts,
                                                   DenseProducts<T>& products) {
  check_blocks(layout, goes_backward, parts);
  std::vector<std::unique_ptr<Layer<T>>> layers;
  for (const LayerLayout& layer : layout.layers()) {
    const bool last = &layer == &layout.layers().back();
    const LayerPlace<T> place{layers.size() + 1,
                              layer,
                              {values.data() + layer.weights.begin, layer.inputs, layer.outputs},
                              values.subspan(layer.bias.begin, layer.bias.size()),
                              !last,
                              parts.dropout,
                              parts.max_batch};
    if (last && !layers.empty() && parts.block_sums != nullptr) {
      layers.push_back(std::make_unique<ClassBlockLayer<T>>(place, products, held_blocks(layout),
                                                            *parts.block_sums));
      continue;
    }
    auto own = make_products(layout, place, goes_backward, parts, products);
    if (parts.group != nullptr && layer.split == LayerSplit::columns) {
      layers.push_back(std::make_unique<ColumnLayer<T>>(place, std::move(own), *parts.group));
    } else if (parts.group != nullptr && layer.split == LayerSplit::rows) {
      layers.push_back(std::make_unique<RowLayer<T>>(place, std::move(own), *parts.group));
    } else {
      layers.push_back(std::make_unique<Layer<T>>(place, std::move(own)));
    }
  }
  return layers;
}

template std::vector<std::unique_ptr<Layer<float>>> make_layers(const ParameterLayout&,
                                                                std::span<const float>, bool,
                                                                const NetworkParts<float>&,
                                                                DenseProducts<float>&);
template std::vector<std::unique_ptr<Layer<double>>> make_layers(const ParameterLayout&,
                                                                 std::span<const double>, bool,
                                                                 const NetworkParts<double>&,
                                                                 DenseProducts<double>&);

}  // namespace dnn
