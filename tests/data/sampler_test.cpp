#include "dnn/data/sampler.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>
#include <vector>

namespace dnn {
namespace {

/// The samples of an epoch, batch by batch, all ranks' parts in rank order.
std::vector<std::uint64_t> epoch_order(Sampler::Settings settings, std::size_t ranks,
                                       std::size_t epoch) {
  std::vector<std::uint64_t> order;
  settings.ranks = ranks;
  const Sampler first(settings);
  for (std::size_t step = 0; step < first.steps(); ++step) {
    std::size_t count = 0;
    for (std::size_t rank = 0; rank < ranks; ++rank) {
      settings.rank = rank;
      std::vector<std::uint64_t> part;
      const Sampler sampler(settings);
      sampler.batch(epoch, step, part);
      EXPECT_LE(part.size(), sampler.max_share());
      count += part.size();
      order.insert(order.end(), part.begin(), part.end());
    }
    EXPECT_EQ(count, first.batch_samples(step));
  }
  return order;
}

TEST(Sampler, EverySampleOnceAnEpochForAnyCounts) {
  for (const std::size_t samples : {1U, 2U, 10U, 97U}) {
    for (const std::size_t batch : {std::size_t{1}, std::size_t{3}, std::size_t{64}, samples}) {
      for (const std::size_t ranks : {1U, 2U, 3U, 5U, 8U, 130U}) {
        for (const std::size_t shards : {0U, 1U, 8U, 70U}) {
          const auto order = epoch_order(
              {.samples = samples, .batch_size = batch, .seed = 3, .logical_shards = shards}, ranks,
              1);
          std::vector<std::uint64_t> sorted = order;
          std::sort(sorted.begin(), sorted.end());
          ASSERT_EQ(sorted.size(), samples);
          for (std::size_t i = 0; i < samples; ++i) {
            ASSERT_EQ(sorted[i], i);
          }
        }
      }
    }
  }
}

TEST(Sampler, FindsEachSampleWhereABatchHasIt) {
  const std::vector<std::int32_t> labels(97, 0);
  const auto split = SplitOrder::by_class(labels, 1, 10, 5);
  for (const auto& [held_out, order] :
       {std::pair(std::size_t{0}, std::shared_ptr<const SplitOrder>()),
        std::pair(std::size_t{10}, std::shared_ptr<const SplitOrder>()),
        std::pair(std::size_t{10}, split)}) {
    for (const std::size_t shards : {0U, 5U}) {
      const Sampler sampler({.samples = 97,
                             .held_out = held_out,
                             .batch_size = 16,
                             .seed = 3,
                             .ranks = 7,
                             .logical_shards = shards,
                             .split = order});
      const Sampler::Places places = sampler.places(2);
      std::uint64_t position = 0;
      for (std::size_t step = 0; step < sampler.steps(); ++step) {
        for (std::size_t rank = 0; rank < 7; ++rank) {
          std::vector<std::uint64_t> samples;
          sampler.append_batch(2, step, rank, samples);
          for (const std::uint64_t sample : samples) {
            const auto place = places.of(sample);
            ASSERT_TRUE(place);
            EXPECT_EQ(place->step, step);
            EXPECT_EQ(place->rank, rank);
            EXPECT_EQ(place->position, position++);
          }
        }
      }
      EXPECT_EQ(position, 97 - held_out);
      for (std::uint64_t i = 0; i < held_out; ++i) {
        EXPECT_FALSE(places.of(sampler.validation_sample(i)));
      }
    }
  }
}

TEST(Sampler, OrderIsTheSameAtAnyRankCountAndNewEachEpoch) {
  const Sampler::Settings settings{.samples = 97, .held_out = 10, .batch_size = 16, .seed = 3};
  const auto one = epoch_order(settings, 1, 1);
  EXPECT_EQ(one, epoch_order(settings, 7, 1));
  Sampler::Settings shards = settings;
  shards.logical_shards = 5;
  EXPECT_EQ(one, epoch_order(shards, 3, 1));
  EXPECT_NE(one, epoch_order(settings, 1, 2));
}

TEST(Sampler, HeldOutSamplesAreNeverTrainedOn) {
  const Sampler::Settings settings{.samples = 50, .held_out = 12, .batch_size = 7, .seed = 9};
  const Sampler sampler(settings);
  std::vector<int> seen(50, 0);
  for (const std::uint64_t sample : epoch_order(settings, 3, 2)) {
    EXPECT_TRUE(sampler.is_training(sample));
    ++seen[sample];
  }
  for (std::size_t i = 0; i < sampler.validation_samples(); ++i) {
    EXPECT_FALSE(sampler.is_training(sampler.validation_sample(i)));
    ++seen[sampler.validation_sample(i)];
  }
  EXPECT_EQ(seen, std::vector<int>(50, 1));
  Sampler::Settings other = settings;
  other.seed = 10;
  EXPECT_NE(Sampler(other).validation_sample(0), sampler.validation_sample(0));
}

TEST(Sampler, RefusesNothingToTrainOn) {
  EXPECT_THROW(Sampler({.samples = 3, .held_out = 3}), std::invalid_argument);
  EXPECT_THROW(Sampler({.samples = 3, .batch_size = 0}), std::invalid_argument);
}

}  // namespace
}  // namespace dnn
