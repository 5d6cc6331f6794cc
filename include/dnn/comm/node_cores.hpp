#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "dnn/comm/communicator.hpp"

namespace dnn {

/// A set of up to 8192 processors, one bit each.
using CoreSet = std::array<std::uint64_t, 128>;

/// The cores that a job may use on one node.
struct NodeCores {
  std::size_t own = 1;   ///< this rank may run on (its affinity mask)
  std::size_t node = 1;  ///< all ranks of the node may run on together (bounded by the CPU quota)
  CoreSet node_set{};    ///< which those are

  /// Collective over the ranks of a node.
  [[nodiscard]] static NodeCores find(const Communicator& node);
};

/// While it lives, the calling thread computes with `threads` threads on all cores of the node's
/// ranks, which sleep meanwhile (Waiting::asleep).
class BorrowedCores {
 public:
  BorrowedCores(const NodeCores& cores, std::size_t threads);
  BorrowedCores(const BorrowedCores&) = delete;
  BorrowedCores& operator=(const BorrowedCores&) = delete;
  ~BorrowedCores();

 private:
  int threads_before_;
  std::size_t threads_;
  CoreSet own_;
};

/// The CPU quota of this process's control groups and those around them, in whole cores, at least
/// 1; 0 where there is none. `root` is where /proc and /sys are found.
[[nodiscard]] std::size_t cpu_quota(const std::string& root = "/");

}  // namespace dnn
