#include "dnn/nn/parameter_layout.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace dnn {

ParameterLayout::ParameterLayout(std::vector<std::size_t> widths) : widths_(std::move(widths)) {
  constexpr std::size_t step = 16;
  if (widths_.size() < 2 || std::find(widths_.begin(), widths_.end(), 0U) != widths_.end()) {
    throw std::invalid_argument("a network needs at least one layer and no layer of width 0");
  }
  const auto place = [this](std::size_t elements) {
    const Range range{size_, size_ + elements};
    size_ += (elements + step - 1) / step * step;
    count_ += elements;
    return range;
  };
  for (std::size_t n = 1; n < widths_.size(); ++n) {
    const std::size_t inputs = widths_[n - 1];
    const std::size_t outputs = widths_[n];
    const Range weights = place(inputs * outputs);
    layers_.push_back({inputs, outputs, weights, place(outputs)});
  }
}

std::vector<Range> ParameterLayout::weight_ranges() const {
  std::vector<Range> ranges;
  for (const LayerLayout& layer : layers_) {
    ranges.push_back(layer.weights);
  }
  return ranges;
}

}  // namespace dnn
