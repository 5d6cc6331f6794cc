#include "dnn/data/split_order.hpp"

#include <algorithm>
#include <numeric>

#include "dnn/core/permutation.hpp"
#include "dnn/core/random.hpp"

namespace dnn {

namespace {

/// How many samples of each class are held out, see SplitOrder::by_class.
std::vector<std::size_t> quotas(std::span<const std::int32_t> labels, std::size_t classes,
                                std::size_t held_out) {
  std::vector<std::size_t> counts(classes, 0);
  for (const std::int32_t label : labels) {
    ++counts[static_cast<std::size_t>(label)];
  }
  const std::size_t samples = labels.size();
  std::vector<std::size_t> quota(classes);
  std::vector<std::size_t> remainder(classes);
  std::size_t given = 0;
  for (std::size_t c = 0; c < classes; ++c) {
    quota[c] = counts[c] * held_out / samples;  // at most most_samples^2: no overflow
    remainder[c] = counts[c] * held_out % samples;
    given += quota[c];
  }
  std::vector<std::size_t> by_remainder(classes);
  std::iota(by_remainder.begin(), by_remainder.end(), std::size_t{0});
  std::stable_sort(by_remainder.begin(), by_remainder.end(),
                   [&](std::size_t a, std::size_t b) { return remainder[a] > remainder[b]; });
  for (std::size_t k = 0; given < held_out; ++k, ++given) {
    ++quota[by_remainder[k]];
  }
  return quota;
}

}  // namespace

std::shared_ptr<const SplitOrder> SplitOrder::by_class(std::span<const std::int32_t> labels,
                                                       std::size_t classes, std::size_t held_out,
                                                       std::uint64_t seed) {
  std::vector<std::size_t> left = quotas(labels, classes, held_out);
  const Permutation drawn(labels.size(), RandomStream(seed, Purpose::split));
  std::shared_ptr<SplitOrder> split(new SplitOrder());
  split->held_out_.assign(labels.size(), false);
  split->order_.resize(labels.size());
  std::size_t next_held_out = 0;
  std::size_t next_trained_on = held_out;
  for (std::uint64_t i = 0; i < labels.size(); ++i) {
    const std::uint64_t sample = drawn(i);
    std::size_t& of_class = left[static_cast<std::size_t>(labels[sample])];
    const bool is_held_out = of_class > 0;
    if (is_held_out) {
      --of_class;
      split->held_out_[sample] = true;
    }
    split->order_[is_held_out ? next_held_out++ : next_trained_on++] =
        static_cast<std::uint32_t>(sample);
  }
  return split;
}

std::shared_ptr<const SplitOrder> split_order_of(const Dataset& data, std::size_t held_out,
                                                 std::uint64_t seed) {
  if (has_target_rows(data.task)) {
    return SplitOrder::by_class(std::vector<std::int32_t>(data.samples, 0), 1, held_out, seed);
  }
  return SplitOrder::by_class(data.label_view(), data.classes(), held_out, seed);
}

}  // namespace dnn
