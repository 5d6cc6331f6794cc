#pragma once

// Implements BlockSums (nn) over ranks.

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "dnn/comm/communicator.hpp"
#include "dnn/core/partition.hpp"
#include "dnn/core/sum_tree.hpp"
#include "dnn/nn/block_sums.hpp"
#include "dnn/parallel/tree_reduction.hpp"

namespace dnn {

/// Sums over blocks of classes along one binary tree whose leaves are the blocks (see Note [One
/// tree over logical shards], where they are shards): by a TreeReduction over a model group, or on
/// one rank that holds all blocks.
template <class T>
class ClassBlockSums final : public BlockSums<T> {
 public:
  /// Collective over `group`, which must outlive it; null: this rank holds all blocks. `blocks`:
  /// how many there are; `held`: this rank's of them.
  ClassBlockSums(const Communicator* group, std::size_t blocks, Range held);

  void begin(const std::vector<std::span<T>>& parts, std::span<T> to) override;
  void finish() override;

 private:
  std::size_t first_;         ///< block held
  std::vector<Range> nodes_;  ///< of the tree, that the blocks held make
  std::optional<TreeReduction<T>> reduction_;
  std::unique_ptr<typename TreeReduction<T>::Pending> under_way_;
};

}  // namespace dnn
