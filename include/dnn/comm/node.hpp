#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "dnn/comm/communicator.hpp"
#include "dnn/comm/shared_mapping.hpp"

namespace dnn {

/// The ranks that share this rank's memory (a node, or some of a node's ranks), and the memory they
/// share: MPI-3 shared windows.
///
/// Note [A small /dev/shm]
/// Open MPI and MPICH make windows of files in /dev/shm, which containers limit to 64 MiB. The
/// pages of a window are taken when they are first written, so a window that fits today may be a
/// bus error later, when another one has been filled. So a window is made only where /dev/shm has
/// twice the room that all windows of this node need, and those of the host's other domains, which
/// need as much at the same time. Otherwise the memory is a SharedMapping, which is as fast.
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
  /// see, aligned to 64 bytes; lives until close(). `purpose`: what it is for, in messages. Throws
  /// InputError, on every rank of the node, where the host has no room; the message names what
  /// there is (of memory, and in /dev/shm).
  [[nodiscard]] std::span<std::byte> allocate_shared(
      std::size_t bytes, const std::string& purpose = "what the ranks of a node share");

  /// Empty, or why memory was not taken from /dev/shm, and where it was taken from instead; on the
  /// leader.
  [[nodiscard]] const std::string& memory_note() const { return memory_note_; }

  /// Collective over the node: what any rank wrote to shared memory before is seen by all after.
  void synchronize() const;

  /// Collective over the node: gives all shared memory back.
  void close();

 private:
  [[nodiscard]] std::span<std::byte> allocate_window(std::size_t bytes);
  [[nodiscard]] std::span<std::byte> allocate_mapping(std::size_t bytes,
                                                      const std::string& purpose);

  Communicator ranks_;
  std::size_t on_host_ = 1;  ///< how many nodes (domains) share the host's /dev/shm
  std::vector<MPI_Win> windows_;
  std::size_t window_bytes_ = 0;
  std::vector<SharedMapping> mappings_;
  std::size_t mapped_bytes_ = 0;
  std::string shortage_;  ///< of /dev/shm, when it was first too small
  std::string memory_note_;
  std::vector<std::unique_ptr<std::byte[]>> own_memory_;  // a node of one rank needs no window
};

}  // namespace dnn
