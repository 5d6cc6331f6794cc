#include "dnn/data/folds.hpp"

#include <numeric>

#include "dnn/core/permutation.hpp"
#include "dnn/core/random.hpp"

namespace dnn {

std::vector<std::uint32_t> fold_numbers(const Dataset& data, std::size_t folds,
                                        std::uint64_t seed) {
  const bool by_class = !has_target_rows(data.task);
  const auto class_of = [&](std::uint64_t sample) {
    return by_class ? static_cast<std::size_t>(data.label_view()[sample]) : 0;
  };
  // Class after class, samples in drawn order are dealt to the folds in turn.
  std::vector<std::uint64_t> counts(by_class ? data.classes() : 1, 0);
  for (std::uint64_t i = 0; i < data.samples; ++i) {
    ++counts[class_of(i)];
  }
  std::vector<std::uint64_t> next(counts.size(), 0);
  std::exclusive_scan(counts.begin(), counts.end(), next.begin(), std::uint64_t{0});
  const Permutation drawn(data.samples, RandomStream(seed, Purpose::folds));
  std::vector<std::uint32_t> numbers(data.samples);
  for (std::uint64_t i = 0; i < data.samples; ++i) {
    const std::uint64_t sample = drawn(i);
    numbers[sample] = static_cast<std::uint32_t>(next[class_of(sample)]++ % folds);
  }
  return numbers;
}

Fold Fold::of(std::span<const std::uint32_t> numbers, std::size_t fold) {
  SampleList rest;
  SampleList left_out;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    (numbers[i] == fold ? left_out : rest).push_back(static_cast<std::uint32_t>(i));
  }
  return {std::make_shared<const SampleList>(std::move(rest)),
          std::make_shared<const SampleList>(std::move(left_out))};
}

}  // namespace dnn
