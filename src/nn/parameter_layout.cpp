#include "dnn/nn/parameter_layout.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace dnn {

namespace {

constexpr std::size_t step = 16;

std::size_t round_up(std::size_t elements) {
  return (elements + step - 1) / step * step;
}

/// The classes of the blocks that a part holds.
Range classes_of(std::size_t classes, std::size_t blocks, Range held) {
  return held.empty() ? Range{classes, classes}
                      : Range{part_of(classes, blocks, held.begin).begin,
                              part_of(classes, blocks, held.end - 1).end};
}

/// The nodes of a layer that a part holds. Dropout draws the masks of 8 nodes at a time, and vector
/// registers hold up to 16: hidden layers are cut between them.
Range nodes_of(std::size_t width, bool hidden, std::size_t parts, std::size_t part,
               std::size_t class_blocks) {
  if (!hidden) {
    return class_blocks == 0 ? part_of(width, parts, part)
                             : classes_of(width, class_blocks, part_of(class_blocks, parts, part));
  }
  const Range steps = part_of(round_up(width) / step, parts, part);
  return {std::min(steps.begin * step, width), std::min(steps.end * step, width)};
}

void check_splits(const std::vector<std::size_t>& widths, const std::vector<LayerSplit>& splits) {
  bool fits = splits.size() + 1 == widths.size() && splits.front() != LayerSplit::rows;
  for (std::size_t n = 1; fits && n < splits.size(); ++n) {
    fits = (splits[n - 1] == LayerSplit::columns) == (splits[n] == LayerSplit::rows);
  }
  if (!fits) {
    throw std::invalid_argument("a network whose layers are split so that they do not fit");
  }
}

}  // namespace

ParameterLayout::ParameterLayout(std::vector<std::size_t> widths)
    : ParameterLayout(
          widths,
          std::vector<LayerSplit>(std::max<std::size_t>(widths.size(), 1) - 1, LayerSplit::whole),
          1, 0) {}

ParameterLayout::ParameterLayout(std::vector<std::size_t> widths,
                                 const std::vector<LayerSplit>& splits, std::size_t parts,
                                 std::size_t part, std::size_t class_blocks)
    : widths_(std::move(widths)),
      class_blocks_(class_blocks),
      held_blocks_(class_blocks > 0 ? part_of(class_blocks, parts, part) : Range{}) {
  if (widths_.size() < 2 || std::find(widths_.begin(), widths_.end(), 0U) != widths_.end()) {
    throw std::invalid_argument("a network needs at least one layer and no layer of width 0");
  }
  check_splits(widths_, splits);
  if (class_blocks > widths_.back()) {
    throw std::invalid_argument("a network with more blocks of classes than classes");
  }
  // Part 0 holds most: what lies behind a tensor begins at the same offset in all parts.
  const auto place = [this](std::size_t elements, std::size_t most) {
    const Range range{size_, size_ + elements};
    size_ += round_up(most);
    count_ += elements;
    return range;
  };
  for (std::size_t n = 1; n < widths_.size(); ++n) {
    const LayerSplit split = splits[n - 1];
    const bool last = n + 1 == widths_.size();
    const auto nodes = [&](LayerSplit wanted, std::size_t width, bool hidden, std::size_t which) {
      return split == wanted ? nodes_of(width, hidden, parts, which, class_blocks)
                             : Range{0, width};
    };
    LayerLayout layer;
    layer.split = split;
    layer.rows = nodes(LayerSplit::rows, widths_[n - 1], true, part);
    layer.columns = nodes(LayerSplit::columns, widths_[n], !last, part);
    layer.inputs = layer.rows.size();
    layer.outputs = layer.columns.size();
    const std::size_t most_outputs = nodes(LayerSplit::columns, widths_[n], !last, 0).size();
    layer.weights = place(layer.inputs * layer.outputs,
                          nodes(LayerSplit::rows, widths_[n - 1], true, 0).size() * most_outputs);
    layer.bias = place(layer.outputs, most_outputs);
    layers_.push_back(layer);
  }
}

std::vector<Range> ParameterLayout::weight_ranges() const {
  std::vector<Range> ranges;
  for (const LayerLayout& layer : layers_) {
    ranges.push_back(layer.weights);
  }
  return ranges;
}

std::vector<Range> ParameterLayout::common_ranges() const {
  std::vector<Range> ranges;
  for (const LayerLayout& layer : layers_) {
    if (layer.split == LayerSplit::whole) {
      ranges.push_back(layer.weights);
    }
    if (layer.split != LayerSplit::columns) {
      ranges.push_back(layer.bias);
    }
  }
  return ranges;
}

}  // namespace dnn
