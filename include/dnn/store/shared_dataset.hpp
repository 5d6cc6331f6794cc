#pragma once

#include <optional>

#include "dnn/comm/communicator.hpp"
#include "dnn/comm/node.hpp"
#include "dnn/data/dataset.hpp"

namespace dnn {

/// Leaves `data` the features of `held` alone, in memory of its own, or in spare memory, where
/// they are.
void keep_rows(Dataset& data, Range held);

/// What becomes of features of which leaders hold parts.
enum class HeldFeatures { completed, kept };

/// Collective over `world`: one complete copy of a data set per node. Each node's leader gives what
/// it read (the other ranks give nothing); every rank gets a data set whose bytes are in the
/// node's shared memory, or in the mapped file they came from; what was read into spare memory
/// (Dataset::in_spare_memory) is taken into memory, too. They live until node.close(). Where
/// leaders hold the features of some samples each (Dataset::held: in the order of their ranks,
/// together all), each gives these to all nodes, straight into their shared memory, unless they are
/// `kept`: then a node's copy has what its leader holds. `interleaved`: the memory is spread over
/// the node's NUMA domains, whose ranks all read from it.
///
/// Throws AgreedError where a rank cannot map the file. Nodes may have read different data, see
/// check_same_everywhere.
[[nodiscard]] Dataset share_dataset(const Communicator& world, Node& node,
                                    std::optional<Dataset> read_by_leader, bool interleaved = false,
                                    HeldFeatures held = HeldFeatures::completed);

}  // namespace dnn
