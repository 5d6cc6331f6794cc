#pragma once

#include <cstddef>
#include <optional>

#include "dnn/comm/communicator.hpp"
#include "dnn/comm/node.hpp"

namespace dnn {

/// P ranks as a grid of P/M data shards x M model shards. The M ranks of a data shard (a model
/// group) get the same samples and hold one network together; the P/M ranks of a model shard (a
/// data group) get different samples and hold the same part of the network. With M = 1 the data
/// group is all ranks.
///
/// Note [Model groups and nodes]
/// A model group exchanges node values several times a step, so it stays on one node where it can:
/// every node makes as many groups as it has room for, and what is left over of all nodes is put
/// together in groups that cross them. Rank 0 is the first of the first group, whatever comes.
///
/// Note [Domains]
/// The ranks of a domain share one copy of the parameters. A domain is a node, or the ranks of a
/// node that are bound to cores of one NUMA domain: on a node of two sockets, half of the ranks
/// would else read every weight across the link between the sockets in every step. Gradients are
/// summed between the domains of a node as they are between nodes. The data set stays one copy a
/// node.
class RankGrid {
 public:
  /// Collective over `world`, whose node is `node`; both must outlive the grid. `model_ranks`: M.
  /// `domain`: ranks of a node that give the same number share memory, see sharing_domain. Throws
  /// InputError, on all ranks alike, unless M divides the number of ranks.
  RankGrid(const Communicator& world, Node& node, std::size_t model_ranks, int domain = 0);

  [[nodiscard]] const Communicator& world() const { return world_; }
  [[nodiscard]] Node& node() const { return node_; }

  /// Whether M > 1.
  [[nodiscard]] bool is_split() const { return model_.has_value(); }
  [[nodiscard]] std::size_t model_ranks() const { return model_ranks_; }
  /// Which model shard is this rank's.
  [[nodiscard]] std::size_t model_shard() const {
    return model_ ? static_cast<std::size_t>(model_->rank()) : 0;
  }
  /// P/M, and which data shard is this rank's.
  [[nodiscard]] std::size_t data_shards() const;
  [[nodiscard]] std::size_t data_shard() const;

  /// Where is_split(): the ranks of this rank's data shard, in the order of model shards.
  [[nodiscard]] const Communicator& model_group() const { return *model_; }
  /// The ranks of this rank's model shard, in the order of data shards, and those of them in its
  /// domain.
  [[nodiscard]] const Communicator& data_group() const { return data_ ? *data_ : world_; }
  [[nodiscard]] Node& data_domain() { return data_domain_ ? *data_domain_ : node_; }

  /// The number that this rank gave for its domain.
  [[nodiscard]] int domain() const { return domain_; }
  /// How many nodes and how many domains the ranks are on; the same on all ranks.
  [[nodiscard]] std::size_t nodes() const { return nodes_; }
  [[nodiscard]] std::size_t domains() const { return domains_; }
  /// Which of the nodes this rank is on, in the order of their first ranks.
  [[nodiscard]] std::size_t node_number() const { return node_number_; }
  /// Whether some node has several domains.
  [[nodiscard]] bool has_split_nodes() const { return domains_ > nodes_; }

  /// Whether the data groups lie alike on the domains, so that sums over them are taken in the same
  /// order; the same on all ranks.
  [[nodiscard]] bool is_even() const { return even_; }
  /// How many model groups cross nodes; the same on all ranks.
  [[nodiscard]] std::size_t crossing_groups() const { return crossing_; }

  /// Collective: ends the sharing of memory in the data groups; the node itself stays open.
  void close();

 private:
  void look_at_domains();

  const Communicator& world_;
  Node& node_;
  std::size_t model_ranks_;
  int domain_;
  std::optional<Communicator> model_;
  std::optional<Communicator> data_;
  std::optional<Node> data_domain_;
  std::size_t nodes_ = 0;
  std::size_t node_number_ = 0;
  std::size_t domains_ = 0;
  bool even_ = true;
  std::size_t crossing_ = 0;
};

}  // namespace dnn
