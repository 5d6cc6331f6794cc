#pragma once

#include <cstdint>
#include <functional>

#include "dnn/comm/communicator.hpp"
#include "dnn/data/dataset.hpp"
#include "dnn/data/feature_statistics.hpp"
#include "dnn/store/held_rows.hpp"

namespace dnn {

/// Collective over `world`: the statistics of the samples that `wanted` says yes to; the same bits
/// at any number of ranks and nodes, see Note [Statistics at any rank count]. `held`: who holds
/// what, where the nodes share out the features; else null. Throws AgreedError for a feature that
/// is not finite, in any sample.
[[nodiscard]] FeatureStatistics statistics(const Communicator& world, const Dataset& data,
                                           const HeldRows* held,
                                           const std::function<bool(std::uint64_t)>& wanted);

}  // namespace dnn
