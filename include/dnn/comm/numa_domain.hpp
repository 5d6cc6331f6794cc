#pragma once

#include <cstddef>
#include <span>

#include "dnn/comm/communicator.hpp"

namespace dnn {

/// Which ranks share one copy of the parameters. node: all ranks of a node; numa: the ranks of a
/// NUMA domain, so that no rank reads weights from another socket's memory; automatic: numa where
/// every rank of the node is bound to cores of one domain, else node.
enum class SharingDomain { automatic, node, numa };

/// Collective over `node`, the ranks of a node: the number of the domain whose ranks share memory
/// with this one, the same on all of them. 0 on all ranks where the node is one domain. Throws
/// InputError on a rank that is not bound to one domain although `wanted` is numa; the caller must
/// make the ranks agree.
[[nodiscard]] int sharing_domain(const Communicator& node, SharingDomain wanted);

/// Spreads the pages of `memory`, which nobody has written to yet, over the NUMA domains of the
/// machine, so that no domain's memory serves all ranks. Where the system does not allow that, the
/// pages lie where they are first written from.
void interleave(std::span<std::byte> memory);

}  // namespace dnn
