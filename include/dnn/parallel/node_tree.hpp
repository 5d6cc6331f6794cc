#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "dnn/comm/communicator.hpp"
#include "dnn/comm/node.hpp"
#include "dnn/core/aligned_buffer.hpp"
#include "dnn/parallel/tree_reduction.hpp"

namespace dnn {

/// Sums one slice of the gradients over the ranks of a node, along the tree over logical shards
/// (see Note [One tree over logical shards]).
template <class T>
class NodeTree {
 public:
  /// Collective over `world`, whose ranks have the leaves in their order (part_of); `node` is its
  /// node.
  NodeTree(const Communicator& world, const Node& node, std::size_t leaves);

  /// The most nodes of the tree that a rank of this node has.
  [[nodiscard]] std::size_t most_parts() const { return most_parts_; }

  /// Collective over `owners`, the owners of this slice, one a node; must outlive this. To be
  /// called once, where there are other nodes and the slice has elements.
  void connect(const Communicator& owners);
  /// After connect: the memory for a slice of so many elements.
  void make_room(std::size_t slice);

  /// Adds up what the ranks of the node have of elements [first, first + count); `part_of_rank`
  /// gives the buffer of a rank's node number `index`. Where there are no other nodes, that is the
  /// sum, and goes to `to`.
  void sum_node(std::size_t first, std::size_t count,
                const std::function<const T*(int rank, std::size_t index)>& part_of_rank, T* to);

  /// Collective over `owners`: the sum over all nodes of the slice that sum_node was called for.
  /// `finite`: see Note [Agreement on bad numbers]; the first element carries the mark.
  void sum_between_nodes(bool finite, std::span<T> to);

 private:
  std::size_t leaves_;
  std::vector<std::vector<Range>> nodes_of_rank_;  ///< of the tree, of each rank of this node
  std::vector<Range> nodes_;                       ///< of the tree, of all of them
  std::size_t most_parts_ = 1;
  std::vector<AlignedBuffer<T>> sums_;  ///< one for each of nodes_, where there are other nodes
  std::optional<TreeReduction<T>> between_;
};

}  // namespace dnn
