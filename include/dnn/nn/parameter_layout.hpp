#pragma once

// Where W and B of every layer are in the flat buffers, and which part of them each rank holds.

#include <cstddef>
#include <vector>

#include "dnn/core/partition.hpp"

namespace dnn {

/// Which part of a layer each rank holds, where several ranks hold one network (a model group).
enum class LayerSplit {
  whole,    ///< every rank all of it
  columns,  ///< each the columns of W^n, and the elements of B^n, of some of the layer's nodes
  rows      ///< each the rows of W^n of some of the nodes below, and all of B^n
};

/// Where W^n and B^n of one layer, or what is held of them, lie in the flat buffers.
struct LayerLayout {
  std::size_t inputs = 0;   ///< M_{n-1}, or as many rows of W^n as are held
  std::size_t outputs = 0;  ///< M_n, or as many columns of W^n as are held
  Range weights;            ///< W^n, row-major inputs x outputs
  Range bias;               ///< B^n, outputs elements
  LayerSplit split = LayerSplit::whole;
  Range rows;     ///< of the whole W^n
  Range columns;  ///< of the whole W^n and B^n
};

/// The order of all parameters in one flat buffer: W^1, B^1, W^2, B^2, ... Each begins on a
/// multiple of 16 elements; the gaps between them are padding that stays zero. The same layout
/// serves values, gradients and the optimizer's state.
///
/// Of a network that ranks hold together, a layout describes one rank's part.
///
/// Note [Class blocks]
/// Where bits must not depend on how many ranks hold a network together, its classes are cut into C
/// blocks, as many for any number of ranks. What is summed over all classes (dX of the last layer,
/// the softmax) is summed over each block first, then over the blocks in one order (see
/// DenseProducts, ClassBlockSums and ClassShardedSoftmax). A part holds whole blocks, or none; so
/// all blocks on one rank give the bits of each on a rank of its own.
class ParameterLayout {
 public:
  /// The whole network. `widths`: M_0 (features), M_1, ..., M_N (classes); at least two, none 0,
  /// else std::invalid_argument.
  explicit ParameterLayout(std::vector<std::size_t> widths);

  /// The part that rank `part` of `parts` holds. `splits`: of each layer; the nodes of a layer
  /// split by columns are what the next one's rows are split by, unless it is the last (else
  /// std::invalid_argument). Classes are cut as evenly as can be, nodes of hidden layers in steps
  /// of 16; a part may have none. The layouts of all parts have the same size and the same offsets.
  /// `class_blocks`: C of Note [Class blocks], at most M_N, of which each part holds as many as any
  /// other or one less; 0: there are none.
  ParameterLayout(std::vector<std::size_t> widths, const std::vector<LayerSplit>& splits,
                  std::size_t parts, std::size_t part, std::size_t class_blocks = 0);

  /// Of the whole network.
  [[nodiscard]] const std::vector<std::size_t>& widths() const { return widths_; }
  [[nodiscard]] const std::vector<LayerLayout>& layers() const { return layers_; }
  /// Elements of a flat buffer, padding included.
  [[nodiscard]] std::size_t size() const { return size_; }
  /// Elements of all W and B that are held.
  [[nodiscard]] std::size_t parameter_count() const { return count_; }
  /// C of Note [Class blocks], or 0.
  [[nodiscard]] std::size_t class_blocks() const { return class_blocks_; }
  /// Which of them are held.
  [[nodiscard]] Range held_blocks() const { return held_blocks_; }
  /// The classes of one.
  [[nodiscard]] Range class_block(std::size_t block) const {
    return part_of(widths_.back(), class_blocks_, block);
  }
  /// The ranges of all W: what weight decay acts on.
  [[nodiscard]] std::vector<Range> weight_ranges() const;
  /// The ranges, ascending, that all parts hold alike; together they are all of a whole network.
  [[nodiscard]] std::vector<Range> common_ranges() const;

 private:
  std::vector<std::size_t> widths_;
  std::vector<LayerLayout> layers_;
  std::size_t size_ = 0;
  std::size_t count_ = 0;
  std::size_t class_blocks_;
  Range held_blocks_;
};

}  // namespace dnn
