#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "dnn/comm/rank_grid.hpp"
#include "dnn/data/batch_targets.hpp"
#include "dnn/data/gatherer.hpp"
#include "dnn/store/training_data.hpp"
#include "dnn/train/training_step.hpp"

namespace dnn {

/// Finds ranks that compute otherwise than others: a faulty processor, or another copy of the data.
///
/// Note [One shard computed by all]
/// Ranks of a node share one copy of W, so their parameters cannot differ, whatever one of them
/// adds to a sum. But a logical shard has the same gradients, bit for bit, whoever computes it. So
/// now and then all data shards compute one logical shard, another one each time, and compare a
/// hash of its dW and dB. There is no tolerance, so no false alarm; with three ranks or more, the
/// majority names the one that differs. Products in bf16 depend on threads, and of sparse samples
/// dW^1 is computed from all ranks' dA^1: there is no check with these.
///
/// Note [Bits that flip in gradients]
/// A bit that flips in dW or dB after backward has written them, and before they are summed over
/// the ranks, is not found: this check computes the same shard again, not the same update. A sum of
/// bits, as W and the optimizer's state have it (see Note [Bits that flip between two updates]),
/// would take two more passes over all gradients in every update, one when those of a layer are
/// complete and one before they are summed. Measured on 2 cores of an AMD EPYC (Zen 4): 47 us for
/// 535,000 parameters, 3 % of an update of 64 samples on two ranks (1.58 ms), and 11 ms for 25
/// million. W is in memory for the whole run, a gradient for a part of an update.
template <class T>
class GradientCheck {
 public:
  /// All references must outlive the check.
  GradientCheck(const RankGrid& grid, const TrainingData& data, TrainingStep<T>& step,
                bool products_are_exact);

  /// Whether there is anything to compare.
  [[nodiscard]] bool is_possible() const { return possible_; }

  /// Collective, between two updates: logical shard number `shard` of batch `step` of the epoch.
  /// Throws std::runtime_error on all ranks where two of them have other gradients.
  void run(std::size_t epoch, std::size_t step, std::size_t shard);

 private:
  const RankGrid& grid_;
  const TrainingData& data_;
  TrainingStep<T>& step_;
  bool possible_;
  std::optional<Gatherer<T>> gatherer_;
  std::vector<std::uint64_t> samples_;
  BatchTargets targets_;
  std::vector<T> features_;
};

}  // namespace dnn
