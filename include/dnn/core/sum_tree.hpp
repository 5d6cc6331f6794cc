#pragma once

// Sums along one fixed binary tree, which give the same bits at any number of ranks.

#include <cstddef>
#include <span>
#include <vector>

#include "dnn/core/partition.hpp"

namespace dnn {

/// Note [One tree over logical shards]
/// A batch is cut into a number K of logical shards that does not depend on the ranks (see
/// logical_shards_of). Each shard gives gradients of its own, and these are added up along one
/// binary tree over the shards' indices. Who computes a shard, and where two of them meet, decides
/// nothing about the bits: every addition has the same two operands whatever the ranks, the nodes,
/// the exchange and the algorithms of MPI.
///
/// A node of the tree is a range of leaves; its left child has the largest power of two of them
/// that is less than all. A rank adds up what it has of its own (the largest nodes within its
/// leaves), and whoever owns a slice of the parameters adds up the rest of the tree for that slice.
/// The error of an element is at most log2(K) + 1 roundings of the sum of its magnitudes.
///
/// Why not order-free integers through MPI_Allreduce, the other way to the same end: numbers must
/// be cut to a scale that the ranks agree on first (one more collective for each bucket), take 64
/// bits each, and lose what is far below the largest. Measured with 540,672 floats of 2 ranks of a
/// node (tests/bench/bench_exchange.cpp --logical-shards 2, medians of one run): MPI_Allreduce 367
/// µs, the tree 377, integers 1,846; in shared memory 85, the tree 84.

/// The sum over the leaves of a node of the tree, for the elements in question.
template <class T>
struct TreePart {
  Range leaves;
  const T* values = nullptr;
};

/// The first leaf of the right child of a node of at least two leaves.
[[nodiscard]] std::size_t right_child(Range node);

/// The largest nodes of the tree over `leaves` leaves that lie within the marked ones, in order.
/// `marked`: one for each leaf.
[[nodiscard]] std::vector<Range> tree_nodes(const std::vector<bool>& marked);

/// The same for the leaves [within.begin, within.end) of `leaves`.
[[nodiscard]] std::vector<Range> tree_nodes(std::size_t leaves, Range within);

/// Whoever goes through the leaves of a node of `leaves` leaves in order keeps the sums that wait
/// for their right sibling on a stack: how many of them are, from the last one on, left operands of
/// an addition once leaf number `leaf` is there. What comes of it goes on the stack.
[[nodiscard]] std::size_t additions_after(std::size_t leaf, std::size_t leaves);

/// to[i] = the sum over the leaves of `node`, a node of the tree, for i < count. `parts`, in the
/// order of their leaves, are nodes that together cover it. `to` may be the values of a part. In
/// threads.
template <class T>
void sum_along_tree(Range node, std::span<const TreePart<T>> parts, std::size_t count, T* to);

}  // namespace dnn
