#include "dnn/data/folds.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace dnn {
namespace {

/// Samples of classes of these sizes, the classes mixed.
Dataset classes_of(const std::vector<std::size_t>& sizes) {
  std::vector<std::int32_t> labels;
  for (std::size_t c = 0; c < sizes.size(); ++c) {
    labels.insert(labels.end(), sizes[c], static_cast<std::int32_t>(c));
  }
  for (std::size_t i = 0; i < labels.size(); ++i) {
    std::swap(labels[i], labels[i * 7 % labels.size()]);
  }
  Dataset data;
  data.task = Task::classes;
  data.samples = labels.size();
  data.class_names.resize(sizes.size());
  data.labels = Bytes::from(labels);
  return data;
}

TEST(Folds, AreOfOneSizeAndHaveTheSameShareOfEachClass) {
  const Dataset data = classes_of({50, 31, 7, 1, 0});
  for (const std::size_t folds : {2, 3, 5, 10, 89}) {
    const auto numbers = fold_numbers(data, folds, 3);
    std::vector<std::size_t> sizes(folds, 0);
    std::vector<std::vector<std::size_t>> of_class(5, std::vector<std::size_t>(folds, 0));
    for (std::size_t i = 0; i < data.samples; ++i) {
      ASSERT_LT(numbers[i], folds);
      ++sizes[numbers[i]];
      ++of_class[static_cast<std::size_t>(data.label_view()[i])][numbers[i]];
    }
    of_class.push_back(sizes);
    for (const auto& counts : of_class) {
      const auto [least, most] = std::minmax_element(counts.begin(), counts.end());
      EXPECT_LE(*most - *least, 1U) << folds;
    }
  }
}

TEST(Folds, FollowFromTheSeed) {
  const Dataset data = classes_of({50, 31, 8});
  EXPECT_EQ(fold_numbers(data, 5, 3), fold_numbers(data, 5, 3));
  EXPECT_NE(fold_numbers(data, 5, 3), fold_numbers(data, 5, 4));
}

TEST(Folds, OfTargetsThatAreNoClassesAreDrawnFromAllSamples) {
  Dataset data;
  data.task = Task::numbers;
  data.samples = 10;
  data.class_names = {"y"};
  data.target_rows = Bytes::from(std::vector<double>(10, 0.5));
  std::vector<std::uint32_t> numbers = fold_numbers(data, 5, 1);
  EXPECT_FALSE(std::is_sorted(numbers.begin(), numbers.end()));
  std::sort(numbers.begin(), numbers.end());
  EXPECT_EQ(numbers, (std::vector<std::uint32_t>{0, 0, 1, 1, 2, 2, 3, 3, 4, 4}));
}

TEST(Folds, PartTheSamples) {
  const std::vector<std::uint32_t> numbers = {0, 2, 1, 0, 1, 2, 2};
  const Fold fold = Fold::of(numbers, 2);
  EXPECT_EQ(*fold.left_out, (SampleList{1, 5, 6}));
  EXPECT_EQ(*fold.rest, (SampleList{0, 2, 3, 4}));
}

}  // namespace
}  // namespace dnn
