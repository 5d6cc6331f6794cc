#pragma once

#include <span>

#include "dnn/comm/communicator.hpp"
#include "dnn/core/partition.hpp"

namespace dnn {

/// Collective over `world`: on rank 0, `whole` becomes the flat buffer of which each rank has the
/// elements `mine` of the range `own`. Every element is in at least one rank's range; ranks have
/// the same range or ranges that do not meet (see GradientExchange::own), and of those that have
/// the same, one sends. Elsewhere `whole` is not used.
template <class T>
void gather_state(const Communicator& world, Range own, std::span<const T> mine,
                  std::span<T> whole);

/// Collective: the part of `own` that is this rank's where ranks that own the same range share it
/// evenly. The parts of all ranks cover once what any rank owns.
[[nodiscard]] Range share_of_own(const Communicator& world, Range own);

}  // namespace dnn
