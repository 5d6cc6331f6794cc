#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>

#include "dnn/parallel/make_exchange.hpp"

namespace dnn {

enum class Compression { none, bf16 };

/// How the ranks of a run share its work.
struct ParallelSettings {
  std::size_t logical_shards = 0;  ///< parts of a batch; 0: what its size suggests
  std::size_t model_parallel = 1;  ///< ranks that hold one network together
  bool split_hidden = false;       ///< pairs of hidden layers are split, too; sums to rounding
  /// Nodes of the layer between two split hidden layers that each rank must have, see SplitRule.
  std::size_t least_split_nodes = 128;
  /// The least classes of a block where there are several, see Note [Class blocks].
  std::size_t least_block_classes = 1024;
  ExchangeKind exchange = ExchangeKind::automatic;
  double bucket_mib = 1;  ///< exchange overlap: MiB of gradients that travel together
  Compression compress = Compression::none;
  std::size_t threads = 0;  ///< of a rank; 0: as many as fit the cores
};

/// The logical shards of a batch of so many samples: the largest power of two that leaves each at
/// least 16 samples, or 1. It depends on the batch alone, so that the model does not depend on the
/// ranks; fewer samples a shard would make matrix products slower.
[[nodiscard]] constexpr std::size_t logical_shards_of(std::size_t batch_size) {
  return std::bit_floor(std::max<std::size_t>(batch_size / 16, 1));
}

}  // namespace dnn
