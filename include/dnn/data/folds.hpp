#pragma once

// The folds of a cross-validation: which samples are left out together.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "dnn/data/dataset.hpp"

namespace dnn {

/// Some samples of a data set: their indices, ascending.
using SampleList = std::vector<std::uint32_t>;

/// The most samples that folds are made of: each takes 4 bytes.
inline constexpr std::uint64_t most_samples_in_folds = 0xffff'ffff;

/// For each sample of `data` the fold that leaves it out, from 0 to folds - 1. It follows from the
/// labels and the seed alone, so that all ranks have the same. Fold sizes differ by at most one
/// sample; so do the numbers of samples of a class in each fold, where samples have classes.
/// At most most_samples_in_folds samples.
[[nodiscard]] std::vector<std::uint32_t> fold_numbers(const Dataset& data, std::size_t folds,
                                                      std::uint64_t seed);

/// The samples of a data set as a fold parts them.
struct Fold {
  std::shared_ptr<const SampleList> rest;      ///< to be trained on
  std::shared_ptr<const SampleList> left_out;  ///< to be judged by

  /// `numbers`: of fold_numbers().
  [[nodiscard]] static Fold of(std::span<const std::uint32_t> numbers, std::size_t fold);
};

}  // namespace dnn
