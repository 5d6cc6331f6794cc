#pragma once

#include "dnn/comm/node.hpp"

namespace dnn {

/// A barrier of the ranks of a node in their shared memory.
///
/// Note [Waiting without burning]
/// MPI_Barrier polls. That is right where every rank has a core of its own, and wrong where ranks
/// share cores: the rank that polls takes the time of the one it waits for. Here a rank that has a
/// core of its own looks at the shared word for a while, since the others arrive within
/// microseconds; then, or at once where cores are shared, it sleeps on a futex and the last to
/// arrive wakes it.
class NodeBarrier {
 public:
  /// Collective over the node, whose shared memory it uses. `shared_cores`: whether the node's
  /// ranks and their threads are more than its cores. The node must outlive the barrier.
  NodeBarrier(Node& node, bool shared_cores);

  /// Collective over the node: returns once every rank has called it; what they wrote to shared
  /// memory before is seen after.
  void wait();

 private:
  struct State;
  State* state_;
  unsigned ranks_;
  int spins_;
};

}  // namespace dnn
