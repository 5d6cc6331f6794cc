#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "dnn/nn/parameter_layout.hpp"

namespace dnn {

/// Which layers of a network M ranks hold in parts, and which each holds whole.
///
/// Note [What is worth splitting]
/// The last layer always is, by its classes: its sums are O(samples), whatever their number. Of the
/// hidden layers, from the first on, a layer and the next are split as a pair (the first by
/// columns, the second by rows) where the layer between them, of h nodes, leaves each rank
/// `least_nodes` or more. For the pair a x h, h x b, one rank saves 6 h (a + b) (1 - 1/M)
/// operations a sample and pays for two sums of a + b numbers together, whose ratio depends on h
/// alone: at 200 GFLOP/s a core and 3 GB/s of sums the two are equal at about 90 nodes a rank.
///
/// With blocks of classes (see Note [Class blocks]) hidden layers are not split: sums over parts of
/// them would depend on M.
struct SplitRule {
  std::size_t least_nodes = 128;
  std::size_t class_blocks = 0;  ///< that the last layer is split between; 0: between any classes

  /// `widths`: M_0, ..., M_N; `parts`: M.
  [[nodiscard]] std::vector<LayerSplit> splits(const std::vector<std::size_t>& widths,
                                               std::size_t parts) const;
  /// The rule in words.
  [[nodiscard]] std::string describe() const;
};

}  // namespace dnn
