#include "dnn/parallel/node_tree.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>

namespace dnn {

template <class T>
NodeTree<T>::NodeTree(const Communicator& world, const Node& node, std::size_t leaves)
    : leaves_(leaves) {
  const auto ranks = static_cast<std::size_t>(node.size());
  const std::int64_t me = world.rank();
  std::vector<std::int64_t> members(ranks);
  node.ranks().all_gather(std::as_bytes(std::span(&me, 1)),
                          std::as_writable_bytes(std::span(members)));
  std::vector<bool> marked(leaves, false);
  for (const std::int64_t member : members) {
    const Range own =
        part_of(leaves, static_cast<std::size_t>(world.size()), static_cast<std::size_t>(member));
    std::fill(marked.begin() + static_cast<std::ptrdiff_t>(own.begin),
              marked.begin() + static_cast<std::ptrdiff_t>(own.end), true);
    nodes_of_rank_.push_back(tree_nodes(leaves, own));
    most_parts_ = std::max(most_parts_, nodes_of_rank_.back().size());
  }
  nodes_ = tree_nodes(marked);
}

template <class T>
void NodeTree<T>::connect(const Communicator& owners) {
  between_.emplace(owners, leaves_, nodes_);
}

template <class T>
void NodeTree<T>::make_room(std::size_t slice) {
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    sums_.emplace_back(slice);
  }
}

template <class T>
void NodeTree<T>::sum_node(std::size_t first, std::size_t count,
                           const std::function<const T*(int rank, std::size_t index)>& part_of_rank,
                           T* to) {
  std::vector<TreePart<T>> parts;
  for (std::size_t rank = 0; rank < nodes_of_rank_.size(); ++rank) {
    for (std::size_t i = 0; i < nodes_of_rank_[rank].size(); ++i) {
      parts.push_back({nodes_of_rank_[rank][i], part_of_rank(static_cast<int>(rank), i) + first});
    }
  }
  std::sort(parts.begin(), parts.end(), [](const TreePart<T>& a, const TreePart<T>& b) {
    return a.leaves.begin < b.leaves.begin;
  });
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    sum_along_tree<T>(nodes_[i], parts, count, between_ ? sums_[i].data() : to);
  }
}

template <class T>
void NodeTree<T>::sum_between_nodes(bool finite, std::span<T> to) {
  std::vector<const T*> parts;
  for (AlignedBuffer<T>& sum : sums_) {
    parts.push_back(sum.data());
  }
  if (!finite && !parts.empty()) {
    sums_[0].data()[0] = std::numeric_limits<T>::quiet_NaN();
  }
  between_->run(parts, to.size(), to.data());
}

template class NodeTree<float>;
template class NodeTree<double>;

}  // namespace dnn
