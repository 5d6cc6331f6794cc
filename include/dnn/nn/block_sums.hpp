#pragma once

// Interface: sums over blocks of classes. ClassBlockSums (parallel) implements it over ranks.

#include <span>
#include <vector>

namespace dnn {

/// How the blocks of classes (see Note [Class blocks]) add up what each has of a sum, in an order
/// that does not depend on which rank holds which. Called at most once a batch.
template <class T>
class BlockSums {
 public:
  virtual ~BlockSums() = default;
  BlockSums(const BlockSums&) = delete;
  BlockSums& operator=(const BlockSums&) = delete;

  /// Collective over the ranks that hold blocks: begins the sum of all blocks' parts. `parts`: of
  /// the blocks held, in order; they are used up. `to` must be left alone until finish() has
  /// returned. One at a time.
  virtual void begin(const std::vector<std::span<T>>& parts, std::span<T> to) = 0;
  virtual void finish() = 0;

 protected:
  BlockSums() = default;
};

}  // namespace dnn
