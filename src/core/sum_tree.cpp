#include "dnn/core/sum_tree.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <stdexcept>

#include "dnn/core/add.hpp"
#include "dnn/core/threads.hpp"

namespace dnn {

namespace {

constexpr std::size_t block = 1024;       ///< elements that are added up at a time
constexpr std::size_t deepest_tree = 32;  ///< of 2^31 leaves

void collect(Range node, const std::vector<bool>& marked, std::vector<Range>& nodes) {
  const auto first = marked.begin() + static_cast<std::ptrdiff_t>(node.begin);
  const auto last = marked.begin() + static_cast<std::ptrdiff_t>(node.end);
  if (std::find(first, last, false) == last) {
    nodes.push_back(node);
  } else if (node.size() > 1) {
    const std::size_t middle = right_child(node);
    collect({node.begin, middle}, marked, nodes);
    collect({middle, node.end}, marked, nodes);
  }
}

/// Adds up blocks of a tree's elements.
template <class T>
class BlockSum {
 public:
  explicit BlockSum(std::span<const TreePart<T>> parts) : parts_(parts) {}

  /// The sums of elements [first, first + count) over the leaves of `node`; may lie in slot `slot`.
  const T* sum(Range node, std::size_t first, std::size_t count, std::size_t slot = 0) {
    const auto part =
        std::lower_bound(parts_.begin(), parts_.end(), node.begin,
                         [](const TreePart<T>& a, std::size_t b) { return a.leaves.begin < b; });
    if (part != parts_.end() && part->leaves == node) {
      return part->values + first;
    }
    if (node.size() < 2 || slot + 1 >= slots_.size()) {
      throw std::invalid_argument("sum_along_tree: the parts do not cover the node");
    }
    const std::size_t middle = right_child(node);
    const T* left = sum({node.begin, middle}, first, count, slot);
    const T* right = sum({middle, node.end}, first, count, slot + 1);
    T* total = slots_[slot].data();
    if (left != total) {
      std::copy_n(left, count, total);
    }
    add(right, total, count);
    return total;
  }

 private:
  std::span<const TreePart<T>> parts_;
  alignas(64) std::array<std::array<T, block>, deepest_tree> slots_;
};

}  // namespace

std::size_t right_child(Range node) {
  return node.begin + std::bit_floor(node.size() - 1);
}

std::vector<Range> tree_nodes(const std::vector<bool>& marked) {
  std::vector<Range> nodes;
  collect({0, marked.size()}, marked, nodes);
  return nodes;
}

std::vector<Range> tree_nodes(std::size_t leaves, Range within) {
  std::vector<bool> marked(leaves, false);
  std::fill(marked.begin() + static_cast<std::ptrdiff_t>(within.begin),
            marked.begin() + static_cast<std::ptrdiff_t>(within.end), true);
  return within.empty() ? std::vector<Range>() : tree_nodes(marked);
}

std::size_t additions_after(std::size_t leaf, std::size_t leaves) {
  // Left children have powers of two of leaves, so the stack is the leaves gone by in binary.
  return static_cast<std::size_t>(leaf + 1 == leaves ? std::popcount(leaf) : std::countr_one(leaf));
}

template <class T>
void sum_along_tree(Range node, std::span<const TreePart<T>> parts, std::size_t count, T* to) {
  parallel_for(count, parallel_grain, [&](Range range) {
    BlockSum<T> sums(parts);
    for (std::size_t first = range.begin; first < range.end; first += block) {
      const std::size_t n = std::min(block, range.end - first);
      const T* total = sums.sum(node, first, n);
      if (total != to + first) {
        std::copy_n(total, n, to + first);
      }
    }
  });
}

template void sum_along_tree(Range, std::span<const TreePart<float>>, std::size_t, float*);
template void sum_along_tree(Range, std::span<const TreePart<double>>, std::size_t, double*);

}  // namespace dnn
