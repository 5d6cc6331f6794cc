#include "dnn/data/split_order.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "dnn/core/permutation.hpp"
#include "dnn/core/random.hpp"

namespace dnn {

namespace {

/// The samples that are ordered, in a data set of `samples`.
struct Ordered {
  std::size_t samples = 0;
  const SampleList* among = nullptr;

  [[nodiscard]] std::size_t size() const { return among == nullptr ? samples : among->size(); }
  [[nodiscard]] std::uint64_t at(std::uint64_t i) const {
    return among == nullptr ? i : (*among)[i];
  }
};

/// How many samples of each class are held out, see SplitOrder::by_class.
std::vector<std::size_t> quotas(std::span<const std::int32_t> labels, const Ordered& ordered,
                                std::size_t classes, std::size_t held_out) {
  const std::size_t samples = ordered.size();
  std::vector<std::size_t> counts(classes, 0);
  for (std::size_t i = 0; i < samples; ++i) {
    ++counts[static_cast<std::size_t>(labels[ordered.at(i)])];
  }
  std::vector<std::size_t> quota(classes);
  std::vector<std::size_t> remainder(classes);
  std::size_t given = 0;
  for (std::size_t c = 0; c < classes; ++c) {
    quota[c] = counts[c] * held_out / samples;  // at most most_samples_in_folds^2: no overflow
    remainder[c] = counts[c] * held_out % samples;
    given += quota[c];
  }
  std::vector<std::size_t> by_remainder(classes);
  std::iota(by_remainder.begin(), by_remainder.end(), std::size_t{0});
  const auto rank_of = [&](std::size_t c) {
    return std::pair(counts[c] - quota[c] > 1, remainder[c]);
  };
  std::stable_sort(by_remainder.begin(), by_remainder.end(),
                   [&](std::size_t a, std::size_t b) { return rank_of(a) > rank_of(b); });
  for (std::size_t k = 0; given < held_out; ++k, ++given) {
    ++quota[by_remainder[k]];
  }
  return quota;
}

}  // namespace

std::shared_ptr<const SplitOrder> SplitOrder::by_class(std::span<const std::int32_t> labels,
                                                       std::size_t classes, std::size_t held_out,
                                                       std::uint64_t seed,
                                                       const SampleList* among) {
  const Ordered ordered{labels.size(), among};
  std::vector<std::size_t> left = quotas(labels, ordered, classes, held_out);
  const Permutation drawn(ordered.size(), RandomStream(seed, Purpose::split));
  std::shared_ptr<SplitOrder> split(new SplitOrder());
  split->held_out_ = held_out;
  split->positions_.assign(labels.size(), none);
  split->order_.resize(ordered.size());
  std::size_t next_held_out = 0;
  std::size_t next_trained_on = held_out;
  for (std::uint64_t i = 0; i < ordered.size(); ++i) {
    const std::uint64_t sample = ordered.at(drawn(i));
    std::size_t& of_class = left[static_cast<std::size_t>(labels[sample])];
    const bool is_held_out = of_class > 0;
    of_class -= is_held_out ? 1 : 0;
    const std::size_t position = is_held_out ? next_held_out++ : next_trained_on++;
    split->positions_[sample] = static_cast<std::uint32_t>(position);
    split->order_[position] = static_cast<std::uint32_t>(sample);
  }
  return split;
}

std::shared_ptr<const SplitOrder> split_order_of(const Dataset& data, std::size_t held_out,
                                                 std::uint64_t seed, const SampleList* among) {
  if (has_target_rows(data.task)) {
    return SplitOrder::by_class(std::vector<std::int32_t>(data.samples, 0), 1, held_out, seed,
                                among);
  }
  return SplitOrder::by_class(data.label_view(), data.classes(), held_out, seed, among);
}

}  // namespace dnn
