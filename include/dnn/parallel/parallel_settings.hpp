#pragma once

#include <cstddef>

#include "dnn/parallel/make_exchange.hpp"

namespace dnn {

enum class Compression { none, bf16 };

/// How the ranks of a run share its work.
struct ParallelSettings {
  bool reproducible = false;                            ///< the same bits at any number of ranks
  std::size_t logical_shards = default_logical_shards;  ///< reproducible: parts of a batch
  std::size_t model_parallel = 1;                       ///< ranks that hold one network together
  /// Nodes of the layer between two split hidden layers that each rank must have, see SplitRule.
  std::size_t least_split_nodes = 128;
  /// reproducible: the least classes of a block where there are several, see Note [Class blocks].
  std::size_t least_block_classes = 1024;
  ExchangeKind exchange = ExchangeKind::automatic;
  double bucket_mib = 1;  ///< exchange overlap: MiB of gradients that travel together
  Compression compress = Compression::none;
  std::size_t threads = 0;  ///< of a rank; 0: as many as fit the cores

  static constexpr std::size_t default_logical_shards = 8;
};

}  // namespace dnn
