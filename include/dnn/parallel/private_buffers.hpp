#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "dnn/comm/communicator.hpp"
#include "dnn/core/aligned_buffer.hpp"
#include "dnn/parallel/gather_rows.hpp"
#include "dnn/parallel/gradient_exchange.hpp"
#include "dnn/parallel/tree_reduction.hpp"

namespace dnn {

/// The buffers of strategies in which every rank has the whole model in memory of its own,
/// and updates all of it.
template <class T>
class PrivateBuffers : public GradientExchange<T> {
 public:
  /// `size`: elements of the flat buffers, of which the first `not_exchanged` are not exchanged.
  /// With logical shards (see ExchangeSettings) collective over `ranks`, which must outlive it;
  /// where a rank lacks memory, what it throws comes after that.
  explicit PrivateBuffers(std::size_t size, const Communicator* ranks = nullptr,
                          std::size_t logical_shards = 0, std::size_t not_exchanged = 0)
      : GradientExchange<T>({not_exchanged, size}), ranks_(ranks) {
    if (logical_shards > 0) {
      tree_.emplace(*ranks, logical_shards,
                    tree_nodes(logical_shards,
                               part_of(logical_shards, static_cast<std::size_t>(ranks->size()),
                                       static_cast<std::size_t>(ranks->rank()))));
    }
    values_ = AlignedBuffer<T>(size);
    parts_.resize(std::max<std::size_t>(1, tree_ ? tree_->nodes().size() : 1));
    for (AlignedBuffer<T>& part : parts_) {
      part = AlignedBuffer<T>(size);
    }
  }

  [[nodiscard]] std::span<T> values() override { return values_.span(); }
  [[nodiscard]] std::span<T> gradients() override { return parts_[0].span(); }
  [[nodiscard]] std::span<T> part(std::size_t index) override { return parts_[index].span(); }
  void set_values(const std::function<void(std::span<T>)>& write) override {
    write(values_.span());
  }
  [[nodiscard]] Range own() const override { return {0, values_.size()}; }
  void gather_rows(MatrixView<const T> own, MatrixView<T> all,
                   std::size_t logical_shards) override {
    if (ranks_ != nullptr) {
      dnn::gather_rows(*ranks_, own, all, logical_shards);
    } else {
      std::copy_n(own.data, own.size(), all.data);
    }
  }
  void publish() override {}
  void reduce_over_owners(std::span<std::uint64_t> /*numbers*/, Reduction /*reduction*/) override {}

 protected:
  /// With logical shards.
  [[nodiscard]] std::optional<TreeReduction<T>>& tree() { return tree_; }
  /// Where this rank's nodes of the tree have their elements from `first` on.
  [[nodiscard]] std::vector<const T*> nodes_from(std::size_t first) {
    std::vector<const T*> from(tree_->nodes().size());
    std::transform(parts_.begin(), parts_.begin() + static_cast<std::ptrdiff_t>(from.size()),
                   from.begin(), [first](AlignedBuffer<T>& part) { return part.data() + first; });
    return from;
  }

  /// What of gradients() is exchanged.
  [[nodiscard]] std::span<T> exchanged_gradients() {
    return gradients().subspan(this->exchanged().begin, this->exchanged().size());
  }

  /// See Note [Agreement on bad numbers]: the first gradient carries the mark.
  void mark(bool finite) {
    if (!finite) {
      exchanged_gradients().front() = std::numeric_limits<T>::quiet_NaN();
    }
  }
  [[nodiscard]] bool is_unmarked() { return !std::isnan(exchanged_gradients().front()); }

 private:
  const Communicator* ranks_;
  AlignedBuffer<T> values_;
  std::optional<TreeReduction<T>> tree_;
  std::vector<AlignedBuffer<T>> parts_;  ///< the first one has the sum in the end
};

}  // namespace dnn
