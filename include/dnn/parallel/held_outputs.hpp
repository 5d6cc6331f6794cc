#pragma once

#include "dnn/comm/communicator.hpp"
#include "dnn/core/partition.hpp"

namespace dnn {

/// Which outputs of a network a rank has.
struct HeldOutputs {
  Range columns;
  const Communicator* group = nullptr;  ///< the ranks that hold the network together; may be null
};

}  // namespace dnn
