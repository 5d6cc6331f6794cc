#pragma once

#include <cstddef>

#include "dnn/comm/communicator.hpp"

namespace dnn {

/// The cores that a job may use on one node.
struct NodeCores {
  std::size_t own = 1;   ///< this rank may run on (its affinity mask)
  std::size_t node = 1;  ///< all ranks of the node may run on together (bounded by the CPU quota)

  /// Collective over the ranks of a node.
  [[nodiscard]] static NodeCores find(const Communicator& node);
};

/// The CPU quota of this process's control group (version 2) and those above it, in whole cores, at
/// least 1; 0 where there is none.
[[nodiscard]] std::size_t cpu_quota();

}  // namespace dnn
