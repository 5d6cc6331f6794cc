#pragma once

#include <span>

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
///
/// Asleep, a rank does not move its messages on, and what MPI has not yet given to the network may
/// be what another node waits for, whose ranks in turn keep this node's from coming. So where ranks
/// of other nodes are in the job, a sleeper wakes every now and then to let MPI progress.
///
/// Note [Groups of a barrier]
/// One counter for 128 ranks is one cache line that 128 cores take from each other in turn, and one
/// word that all of them look at. So ranks arrive in groups, the last of each group arrives for all
/// of it, and each group waits on a word of its own.
class NodeBarrier {
 public:
  /// Collective over the node, whose shared memory it uses. `shared_cores`: whether the node's
  /// ranks and their threads are more than its cores. `between_nodes`: a communicator to make
  /// progress on while waiting; null where the job has this node alone. All must outlive the
  /// barrier.
  NodeBarrier(Node& node, bool shared_cores, const Communicator* between_nodes = nullptr);

  /// Collective over the node: returns once every rank has called it; what they wrote to shared
  /// memory before is seen after.
  void wait();

 private:
  struct Group;
  struct Root;
  static constexpr unsigned group_size = 8;

  [[nodiscard]] bool arrive();
  void release(unsigned round);
  [[nodiscard]] bool passes_while_awake(unsigned round) const;

  Root* root_;
  std::span<Group> groups_;
  unsigned ranks_;
  unsigned group_;  ///< this rank's
  int spins_;
  const Communicator* between_nodes_;
  HeartbeatRecorder& heartbeat_;
};

}  // namespace dnn
