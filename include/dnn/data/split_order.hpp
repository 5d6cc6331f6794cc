#pragma once

// An order of the samples of a data set whose first samples are held out, drawn class by class.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "dnn/data/dataset.hpp"
#include "dnn/data/folds.hpp"

namespace dnn {

/// The samples of a data set, or some of them, in an order whose beginning is held out. It follows
/// from the labels and the seed alone, so that all ranks have the same.
class SplitOrder {
 public:
  /// Holds out `held_out` of the samples, fewer than all, of each class its share: the
  /// rounded-down share, and one more of the classes with the largest remainders (the first of
  /// equal ones) until the number is reached, but the last sample of a class only where no others
  /// are left. Which samples of a class are held out is drawn by `seed`. Labels are 0 to classes
  /// - 1. `among`: the samples that are ordered; null: all.
  [[nodiscard]] static std::shared_ptr<const SplitOrder> by_class(
      std::span<const std::int32_t> labels, std::size_t classes, std::size_t held_out,
      std::uint64_t seed, const SampleList* among = nullptr);

  /// The most samples of a run without folds that are ordered: it takes 8 bytes for each. Larger
  /// sets are split at random, which gives each class its share to a fraction of a percent.
  static constexpr std::size_t most_samples = 1'000'000;

  [[nodiscard]] std::uint64_t at(std::uint64_t position) const { return order_[position]; }
  /// Where sample `sample` is in the order, which has it.
  [[nodiscard]] std::uint64_t position_of(std::uint64_t sample) const { return positions_[sample]; }
  [[nodiscard]] bool is_held_out(std::uint64_t sample) const {
    return positions_[sample] < held_out_;
  }
  /// Whether the sample is ordered and not held out.
  [[nodiscard]] bool is_trained_on(std::uint64_t sample) const {
    return positions_[sample] != none && !is_held_out(sample);
  }

 private:
  static constexpr std::uint32_t none = most_samples_in_folds;

  SplitOrder() = default;

  std::size_t held_out_ = 0;
  std::vector<std::uint32_t> order_;
  std::vector<std::uint32_t> positions_;  ///< of each sample of the data set
};

/// The order that holds out `held_out` samples of `data`: by class, or, where the targets are no
/// classes, of all samples alike. `among` as in SplitOrder::by_class.
[[nodiscard]] std::shared_ptr<const SplitOrder> split_order_of(const Dataset& data,
                                                               std::size_t held_out,
                                                               std::uint64_t seed,
                                                               const SampleList* among = nullptr);

}  // namespace dnn
