#pragma once

// Splits a range of parameters that several ranks own over these ranks, for writing checkpoints.

#include "dnn/comm/communicator.hpp"
#include "dnn/core/partition.hpp"

namespace dnn {

/// Collective over `ranks`: the part of `own` that is this rank's where ranks that own the same
/// range share it evenly. Ranks own the same range or ranges that do not meet (see
/// GradientExchange::own); the parts of all ranks cover once what any rank owns.
[[nodiscard]] Range split_owned_range(const Communicator& ranks, Range own);

}  // namespace dnn
