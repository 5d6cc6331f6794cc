#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "dnn/core/matrix.hpp"

namespace dnn {

/// Which samples a batch holds, so that each draws its own dropout mask, the same at any rank
/// count.
struct DropoutKey {
  std::uint64_t seed = 0;
  std::uint64_t epoch = 0;
  std::span<const std::uint64_t> samples;  ///< the data set's index of each row
};

/// Inverted dropout, in place: each element of X (S x M_n) becomes 0 with probability `rate`, or is
/// multiplied by 1 / (1 - rate) (Srivastava et al., JMLR 15, 2014). The rate is honoured to 2^-16.
/// `layer` is n, part of the key. `first_node`: where X holds some of the layer's nodes alone, the
/// first of them, a multiple of 8 unless X holds none (else std::invalid_argument, as for a rate
/// that is not in [0, 1)).
template <class T>
void apply_dropout(MatrixView<T> X, double rate, std::uint64_t layer, const DropoutKey& key,
                   std::size_t first_node = 0);

}  // namespace dnn
