#pragma once

// Chooses and makes the strategy by which gradients are combined over the ranks.

#include <cstddef>
#include <memory>
#include <string>

#include "dnn/comm/communicator.hpp"
#include "dnn/comm/node.hpp"
#include "dnn/parallel/gradient_exchange.hpp"

namespace dnn {

/// allreduce: MPI's own MPI_Allreduce, whose sums have MPI's order. The others sum along the tree
/// of logical shards: tree in one go after backward, node through the memory that a node's ranks
/// share, overlap in buckets during backward.
enum class ExchangeKind { automatic, allreduce, tree, node, overlap };

struct ExchangeSettings {
  ExchangeKind kind = ExchangeKind::automatic;
  std::size_t bucket_bytes = std::size_t{1} << 20;  ///< overlap
  bool compress = false;                            ///< node: bf16 between nodes
  bool shared_cores = false;  ///< the ranks and threads of a node are more than its cores
  bool spare_core = false;    ///< every node has more cores than ranks and threads
  /// The leaves of the tree that gradients are summed along, see Note [One tree over logical
  /// shards], shared out over the ranks in their order (part_of); 0: every rank has one sum, and
  /// those are summed in MPI's order.
  std::size_t logical_shards = 0;
  /// Elements at the beginning of the flat buffers that are not exchanged: W^1 of a network with
  /// sparse input, see Note [Gradients of active rows].
  std::size_t not_exchanged = 0;
};

/// What was chosen, never `automatic`, and why.
struct ExchangeChoice {
  ExchangeKind kind = ExchangeKind::allreduce;
  std::string reason;
};

/// Collective over `world`: the strategy that `settings` asks for, or the best one for where the
/// ranks are and for flat buffers of `bytes`; the same on every rank. Throws InputError, on all
/// ranks alike, for settings that cannot be honoured.
[[nodiscard]] ExchangeChoice choose_exchange(const ExchangeSettings& settings,
                                             const Communicator& world, const Node& node,
                                             std::size_t bytes);

/// Collective over `world`: makes it, for flat buffers of `size` elements. `world` and `node` must
/// outlive it. Where ranks lack memory, or may not start a thread, these alone throw, but after all
/// that is collective over more than their node: to be called within agree().
template <class T>
[[nodiscard]] std::unique_ptr<GradientExchange<T>> make_exchange(const ExchangeChoice& choice,
                                                                 const ExchangeSettings& settings,
                                                                 const Communicator& world,
                                                                 Node& node, std::size_t size);

}  // namespace dnn
