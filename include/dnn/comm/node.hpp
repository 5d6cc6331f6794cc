#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "dnn/comm/communicator.hpp"

namespace dnn {

/// The ranks that share this rank's memory (a node, or some of a node's ranks), and the memory they
/// share: MPI-3 shared windows.
///
/// close() ends the sharing; it is collective, so the destructor does not do it: a Node destroyed
/// without close() (an error on its way to MPI_Abort) leaves its windows to the end of the process.
class Node {
 public:
  /// Collective over `world`.
  explicit Node(const Communicator& world);
  /// Collective over `world`: of a node's ranks, those that give the same `domain`.
  Node(const Communicator& world, int domain);

  [[nodiscard]] int rank() const { return ranks_.rank(); }
  [[nodiscard]] int size() const { return ranks_.size(); }
  /// One rank a node: the one that does what is to be done once a node.
  [[nodiscard]] bool is_leader() const { return ranks_.is_root(); }
  [[nodiscard]] const Communicator& ranks() const { return ranks_; }

  /// Collective over the node: `bytes` (the leader's number counts) of memory that all its ranks
  /// see, aligned to 64 bytes; lives until close(). Throws MpiError where the system has no room
  /// (/dev/shm), on every rank.
  [[nodiscard]] std::span<std::byte> allocate_shared(std::size_t bytes);

  /// Collective over the node: what any rank wrote to shared memory before is seen by all after.
  void synchronize() const;

  /// Collective over the node: gives all shared memory back.
  void close();

 private:
  Communicator ranks_;
  std::vector<MPI_Win> windows_;
  std::vector<std::unique_ptr<std::byte[]>> own_memory_;  // a node of one rank needs no window
};

}  // namespace dnn
