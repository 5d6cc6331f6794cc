#pragma once

#include <optional>

#include "dnn/comm/communicator.hpp"
#include "dnn/comm/node.hpp"
#include "dnn/data/dataset.hpp"

namespace dnn {

/// Leaves `data` the features of `held` alone, in memory of its own.
void keep_rows(Dataset& data, Range held);

/// Collective over `world`: one copy of a data set per node. Each node's leader gives what it read
/// (the other ranks give nothing); every rank gets a data set whose bytes lie in the node's shared
/// memory, or in the mapped file they came from. They live until node.close(). `interleaved`: the
/// memory is spread over the node's NUMA domains, whose ranks all read from it.
///
/// Throws AgreedError where a rank cannot map the file. Nodes may have read different data, see
/// check_same_everywhere.
[[nodiscard]] Dataset share_dataset(const Communicator& world, Node& node,
                                    std::optional<Dataset> read_by_leader,
                                    bool interleaved = false);

}  // namespace dnn
