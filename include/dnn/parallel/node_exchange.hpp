#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "dnn/comm/communicator.hpp"
#include "dnn/comm/node.hpp"
#include "dnn/comm/node_barrier.hpp"
#include "dnn/parallel/compressed_sum.hpp"
#include "dnn/parallel/gather_rows.hpp"
#include "dnn/parallel/gradient_exchange.hpp"
#include "dnn/parallel/node_tree.hpp"

namespace dnn {

/// The ranks of a domain (see Note [Domains]) share one copy of W and B, and see each other's dW
/// and dB: each sums its
/// slice straight out of its neighbours' memory, slices of different nodes meet in one
/// MPI_Allreduce (or a compressed sum), and each rank updates its slice alone.
///
/// Note [Two barriers a step]
/// combine() begins with a barrier: all gradients of the node are complete, and nobody computes
/// with the values any more, so that their owners may change them. publish() is the other one: all
/// slices are updated, and nobody reads gradients any more. Between the two, a slice is touched by
/// its owner alone.
///
/// Nodes may have different numbers of ranks: there are as many slices as the smallest node has
/// ranks, and the ranks beyond them own nothing. A rank sums what of its
/// slice is exchanged, which may be nothing.
template <class T>
class NodeExchange final : public GradientExchange<T> {
 public:
  struct Settings {
    bool shared_cores = false;       ///< the node's ranks and threads are more than its cores
    bool compress = false;           ///< bf16 between nodes, with error feedback
    std::size_t logical_shards = 0;  ///< see ExchangeSettings
    std::size_t not_exchanged = 0;   ///< see ExchangeSettings
  };

  /// Collective over `world`; `node` is its node. `size`: elements of the flat buffers, which lie
  /// in the node's shared memory until node.close(). Both must outlive the exchange. Where a node
  /// or a rank lacks memory, what it throws there comes after all that is collective over `world`.
  NodeExchange(const Communicator& world, Node& node, std::size_t size, const Settings& settings);

  [[nodiscard]] std::span<T> values() override { return values_; }
  [[nodiscard]] std::span<T> gradients() override { return part(0); }
  [[nodiscard]] std::span<T> part(std::size_t index) override {
    return gradients_of(node_.rank(), index);
  }
  void set_values(const std::function<void(std::span<T>)>& write) override;
  [[nodiscard]] Range own() const override { return own_; }
  void ready(Range range) override;
  [[nodiscard]] bool combine(bool finite) override;
  void gather_rows(MatrixView<const T> own, MatrixView<T> all,
                   std::size_t logical_shards) override {
    dnn::gather_rows(world_, own, all, logical_shards);
  }
  void publish() override;
  void reduce_over_owners(std::span<std::uint64_t> numbers, Reduction reduction) override;
  [[nodiscard]] std::string save_residual() const override;
  bool load_residual(const std::string& bytes) override;

 private:
  void allocate_shared(std::size_t size, bool shared_cores);
  [[nodiscard]] std::span<T> gradients_of(int node_rank, std::size_t index);
  [[nodiscard]] bool all_finite_on_node() const;
  /// What of the slice of a rank of this node is exchanged.
  [[nodiscard]] Range exchanged_slice(int node_rank) const;
  void sum_node();
  void sum_nodes_of_tree();
  [[nodiscard]] bool sum_between_nodes(bool finite);
  void sum_slice(std::span<T> slice);

  const Communicator& world_;
  Node& node_;
  std::size_t slices_;
  Range own_;
  std::optional<NodeTree<T>> tree_;  ///< with logical shards
  bool has_other_nodes_;
  Communicator slice_;  ///< the owners of this slice, one a node
  std::span<T> values_;
  std::span<T> all_gradients_;  ///< of each rank of the node, a flat buffer for each part
  /// Of reduce_over_owners: for each rank of the node the numbers of one call, and of the next one.
  std::span<std::uint64_t> numbers_;
  std::size_t calls_ = 0;
  std::span<std::int32_t>
      finite_;  ///< of combine, one a rank of the node, and the leader's verdict
  std::optional<NodeBarrier> barrier_;
  std::optional<CompressedSum> compressed_;
};

}  // namespace dnn
