#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "dnn/comm/communicator.hpp"
#include "dnn/comm/node.hpp"
#include "dnn/comm/node_barrier.hpp"
#include "dnn/comm/rank_grid.hpp"
#include "dnn/comm/shared_mapping.hpp"
#include "dnn/data/dataset.hpp"

namespace dnn {

/// How the features of a data set are measured: a dense one in rows, a sparse one in stored values.
class RowUnits {
 public:
  explicit RowUnits(const Dataset& data);

  /// Units of a sample, and of all samples before it.
  [[nodiscard]] std::uint64_t of(std::uint64_t sample) const {
    return offsets_.empty() ? 1 : offsets_[sample + 1] - offsets_[sample];
  }
  [[nodiscard]] std::uint64_t before(std::uint64_t sample) const {
    return offsets_.empty() ? sample : offsets_[sample];
  }
  /// Bytes of a unit in Dataset::values and in Dataset::value_columns.
  [[nodiscard]] std::size_t value_bytes() const { return value_bytes_; }
  [[nodiscard]] std::size_t column_bytes() const { return column_bytes_; }
  [[nodiscard]] std::size_t bytes() const { return value_bytes_ + column_bytes_; }

 private:
  std::span<const std::uint64_t> offsets_;
  std::size_t value_bytes_;
  std::size_t column_bytes_;
};

/// Which node holds the features of which samples, where the nodes of a job share them out
/// (placement job): each has some samples, one after another, see Dataset::held.
class HeldRows {
 public:
  /// Collective over the grid's world. `held`: of this node, the same on all of its ranks. The grid
  /// must outlive this.
  HeldRows(const RankGrid& grid, Range held);

  [[nodiscard]] std::size_t nodes() const { return held_.size(); }
  /// The number of this node.
  [[nodiscard]] std::size_t node() const { return node_; }
  [[nodiscard]] Range of(std::size_t node) const { return held_[node]; }
  [[nodiscard]] std::size_t owner(std::uint64_t sample) const;
  /// The data shards that some of the node's ranks have, ascending.
  [[nodiscard]] const std::vector<std::size_t>& shards_of(std::size_t node) const {
    return shards_[node];
  }

  [[nodiscard]] const RankGrid& grid() const { return grid_; }
  /// Collective over the node: returns once all of its ranks are here.
  void wait_for_node() const { barrier_->wait(); }
  /// Collective over the node: memory of zeros that its ranks share; `purpose` is what it is for.
  /// Throws std::runtime_error where the host has none.
  [[nodiscard]] SharedMapping allocate(std::size_t bytes, const char* purpose) const;
  /// On leaders: those of all nodes, in the order of nodes.
  [[nodiscard]] const Communicator& leaders() const { return leaders_; }

  /// Collective over the leaders: rows of `data` from the nodes that hold them. `wanted[n]`: which
  /// samples node n wants. Returns `data` with those that this node wants, in memory of their own.
  [[nodiscard]] Dataset fetch(const Dataset& data, const std::vector<Range>& wanted) const;

  /// Collective over the grid's world: the rows of any samples, on all ranks, one after another:
  /// sample i of the result is sample `samples[i]`. For few of them. Nothing but the features is
  /// set.
  [[nodiscard]] Dataset copy(const Dataset& data, std::span<const std::uint64_t> samples) const;

 private:
  const RankGrid& grid_;
  Communicator leaders_;
  std::unique_ptr<NodeBarrier> barrier_;
  std::size_t node_ = 0;
  std::vector<Range> held_;
  std::vector<std::vector<std::size_t>> shards_;
};

}  // namespace dnn
