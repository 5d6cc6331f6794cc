#pragma once

#include <span>
#include <vector>

#include "dnn/comm/rank_grid.hpp"
#include "dnn/nn/parameter_layout.hpp"

namespace dnn {

/// The Euclidean norms of a layer's W and B, or of their gradients.
struct LayerNorms {
  double W = 0;
  double B = 0;

  /// Collective over the grid's world: of each layer of the whole network, the same on all ranks.
  /// `layout`: of this rank's part; `flat`: a flat buffer of it, which is the same on all ranks
  /// that hold the same part. The same bits however the network lies on the ranks (SumOfSquares);
  /// NaN or infinity where an element is.
  template <class T>
  [[nodiscard]] static std::vector<LayerNorms> of(const RankGrid& grid,
                                                  const ParameterLayout& layout,
                                                  std::span<const T> flat);
};

}  // namespace dnn
