#pragma once

// Dropout, drawn by sample so that it does not depend on the ranks.

#include <cstddef>
#include <cstdint>
#include <span>

#include "dnn/core/matrix.hpp"
#include "dnn/core/partition.hpp"

namespace dnn {

/// Which samples a batch holds, so that each draws its own dropout mask, the same at any rank
/// count.
struct DropoutKey {
  std::uint64_t seed = 0;
  std::uint64_t epoch = 0;
  std::span<const std::uint64_t> samples;  ///< the data set's index of each row
};

/// Inverted dropout of a piece of X (S x M_n), in place: each element becomes 0 with probability
/// `rate`, or is multiplied by 1 / (1 - rate) (Srivastava et al., JMLR 15, 2014). The rate is
/// honoured to 2^-16; outside [0, 1) it throws std::invalid_argument. `layer` is n, part of the
/// key. `first_node`: where X holds some of the layer's nodes alone, the first of them.
template <class T>
void apply_dropout(MatrixView<T> X, double rate, std::uint64_t layer, const DropoutKey& key,
                   std::size_t first_node, Range rows, Range columns);

}  // namespace dnn
