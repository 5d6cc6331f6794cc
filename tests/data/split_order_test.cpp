#include "dnn/data/split_order.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

#include "dnn/data/sampler.hpp"

namespace dnn {
namespace {

/// Labels of classes of these sizes, one class after another.
std::vector<std::int32_t> labels_of(const std::vector<std::size_t>& sizes) {
  std::vector<std::int32_t> labels;
  for (std::size_t c = 0; c < sizes.size(); ++c) {
    labels.insert(labels.end(), sizes[c], static_cast<std::int32_t>(c));
  }
  return labels;
}

std::vector<std::size_t> held_out_of(const SplitOrder& split,
                                     const std::vector<std::int32_t>& labels, std::size_t classes) {
  std::vector<std::size_t> counts(classes, 0);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    counts[static_cast<std::size_t>(labels[i])] += split.is_held_out(i) ? 1 : 0;
  }
  return counts;
}

TEST(SplitOrder, EachClassHasItsShare) {
  const auto labels = labels_of({500, 300, 150, 49, 1});
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    const auto split = SplitOrder::by_class(labels, 5, 100, seed);
    EXPECT_EQ(held_out_of(*split, labels, 5), (std::vector<std::size_t>{50, 30, 15, 5, 0}));
  }
}

TEST(SplitOrder, AClassOfOneSampleIsTrainedOnWhereOthersHaveMore) {
  std::vector<std::size_t> sizes(10, 1);
  sizes.insert(sizes.end(), {500, 390, 100});
  const auto labels = labels_of(sizes);
  const auto split = SplitOrder::by_class(labels, sizes.size(), 100, 1);
  const auto counts = held_out_of(*split, labels, sizes.size());
  EXPECT_EQ(counts, (std::vector<std::size_t>{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 51, 39, 10}));
  // All but the last of each class, then some of those.
  const auto small = labels_of({1, 3, 2});
  EXPECT_EQ(held_out_of(*SplitOrder::by_class(small, 3, 3, 1), small, 3),
            (std::vector<std::size_t>{0, 2, 1}));
  EXPECT_EQ(held_out_of(*SplitOrder::by_class(small, 3, 5, 1), small, 3),
            (std::vector<std::size_t>{1, 2, 2}));
}

TEST(SplitOrder, TheNumberHeldOutIsExactWhateverTheShares) {
  const auto labels = labels_of({7, 7, 7, 1, 0});
  for (std::size_t held_out = 0; held_out < labels.size(); ++held_out) {
    const auto split = SplitOrder::by_class(labels, 5, held_out, 1);
    const auto counts = held_out_of(*split, labels, 5);
    std::size_t sum = 0;
    for (std::size_t c = 0; c < 3; ++c) {
      sum += counts[c];
      EXPECT_LE(counts[c], held_out * 7 / 22 + 1);
      EXPECT_GE(counts[c], held_out * 7 / 22);
    }
    EXPECT_EQ(sum + counts[3] + counts[4], held_out);
  }
}

TEST(SplitOrder, OrdersAllSamplesAndBeginsWithThoseHeldOut) {
  const auto labels = labels_of({20, 30, 13});
  const auto split = SplitOrder::by_class(labels, 3, 10, 4);
  std::vector<std::uint64_t> samples;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    samples.push_back(split->at(i));
    EXPECT_EQ(split->is_held_out(split->at(i)), i < 10);
  }
  const auto other = SplitOrder::by_class(labels, 3, 10, 5);
  bool differs = false;
  for (std::size_t i = 0; i < 10; ++i) {
    differs = differs || other->at(i) != samples[i];
  }
  EXPECT_TRUE(differs);
  std::sort(samples.begin(), samples.end());
  for (std::size_t i = 0; i < samples.size(); ++i) {
    ASSERT_EQ(samples[i], i);
  }
}

TEST(SplitOrder, ASamplerTrainsOnTheRest) {
  const auto labels = labels_of({20, 30, 13});
  const auto split = SplitOrder::by_class(labels, 3, 10, 4);
  const Sampler sampler({.samples = 63, .held_out = 10, .batch_size = 53, .split = split});
  std::vector<std::uint64_t> batch;
  sampler.batch(1, 0, batch);
  EXPECT_EQ(batch.size(), 53U);
  for (const std::uint64_t sample : batch) {
    EXPECT_FALSE(split->is_held_out(sample));
    EXPECT_TRUE(sampler.is_training(sample));
  }
  for (std::uint64_t i = 0; i < 10; ++i) {
    EXPECT_FALSE(sampler.is_training(sampler.validation_sample(i)));
  }
}

TEST(SplitOrder, OfTargetsThatAreNoClassesIsDrawnFromAllSamples) {
  Dataset data;
  data.task = Task::numbers;
  data.samples = 100;
  data.class_names = {"y"};
  data.target_rows = Bytes::from(std::vector<double>(100, 0.5));
  const auto split = split_order_of(data, 30, 7);
  std::set<std::uint64_t> all;
  for (std::uint64_t i = 0; i < 100; ++i) {
    all.insert(split->at(i));
    EXPECT_EQ(split->is_held_out(split->at(i)), i < 30);
  }
  EXPECT_EQ(all.size(), 100U);
}

TEST(SplitOrder, OfSomeSamplesLeavesTheOthersOut) {
  const auto labels = labels_of({20, 30, 13});
  SampleList among;
  for (std::uint32_t i = 0; i < 63; i += 2) {
    among.push_back(i);  // 10 of the first class, 15 of the second, 7 of the third
  }
  const auto split = SplitOrder::by_class(labels, 3, 8, 4, &among);
  EXPECT_EQ(held_out_of(*split, labels, 3), (std::vector<std::size_t>{2, 4, 2}));
  std::set<std::uint64_t> ordered;
  for (std::size_t i = 0; i < among.size(); ++i) {
    ordered.insert(split->at(i));
    EXPECT_EQ(split->is_held_out(split->at(i)), i < 8);
    EXPECT_EQ(split->is_trained_on(split->at(i)), i >= 8);
  }
  EXPECT_EQ(ordered, std::set<std::uint64_t>(among.begin(), among.end()));
  EXPECT_FALSE(split->is_held_out(1));
  EXPECT_FALSE(split->is_trained_on(1));
}

TEST(SplitOrder, ASamplerOfSomeSamplesMayHoldNoneOut) {
  const auto labels = labels_of({4, 4});
  const SampleList among = {1, 2, 5, 6, 7};
  const auto split = SplitOrder::by_class(labels, 2, 0, 1, &among);
  const Sampler sampler({.samples = 5, .held_out = 0, .batch_size = 2, .split = split});
  SampleList seen;
  for (std::size_t step = 0; step < sampler.steps(); ++step) {
    std::vector<std::uint64_t> batch;
    sampler.batch(1, step, batch);
    seen.insert(seen.end(), batch.begin(), batch.end());
  }
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(seen, among);
  EXPECT_TRUE(sampler.is_training(1));
  EXPECT_FALSE(sampler.is_training(0));
  EXPECT_FALSE(sampler.is_validation(0));
}

}  // namespace
}  // namespace dnn
