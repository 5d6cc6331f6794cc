#pragma once

#include <vector>

#include "dnn/comm/communicator.hpp"
#include "dnn/core/exact_sum.hpp"

namespace dnn {

/// Collective: the values of the sums over all ranks, in one reduction. All ranks give equally many
/// sums and get the same bits.
[[nodiscard]] std::vector<double> exact_totals(const Communicator& world,
                                               std::vector<ExactSum> sums);

}  // namespace dnn
