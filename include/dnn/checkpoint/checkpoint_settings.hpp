#pragma once

#include <cstddef>
#include <string>

namespace dnn {

/// When a run writes checkpoints, how many stay, and when all ranks write them together.
struct CheckpointSettings {
  std::string checkpoint_every = "300s";  ///< see CheckpointInterval
  std::size_t keep = 3;                   ///< checkpoints that stay
  /// All ranks write a state of at least so many bytes, see Note [Checkpoints in parts].
  std::size_t parallel_checkpoint_bytes = std::size_t{64} << 20;
  std::size_t least_part_bytes = std::size_t{1} << 20;  ///< of such a state, for each rank
};

}  // namespace dnn
