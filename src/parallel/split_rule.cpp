#include "dnn/parallel/split_rule.hpp"

namespace dnn {

std::vector<LayerSplit> SplitRule::splits(const std::vector<std::size_t>& widths,
                                          std::size_t parts) const {
  const std::size_t layers = widths.size() - 1;
  std::vector<LayerSplit> splits(layers, LayerSplit::whole);
  if (parts == 1) {
    return splits;
  }
  splits.back() = LayerSplit::columns;
  for (std::size_t n = 1; class_blocks == 0 && n + 1 < layers; ++n) {
    if (widths[n] / parts >= least_nodes) {
      splits[n - 1] = LayerSplit::columns;
      splits[n] = LayerSplit::rows;
      ++n;
    }
  }
  return splits;
}

std::string SplitRule::describe() const {
  if (class_blocks > 0) {
    return "the last layer by its classes, in " + std::to_string(class_blocks) +
           (class_blocks == 1 ? " block" : " blocks") + "; hidden layers whole on every rank";
  }
  return "the last layer by its classes; two hidden layers as a pair where the one between leaves "
         "each rank " +
         std::to_string(least_nodes) + " nodes; others whole on every rank";
}

}  // namespace dnn
