#include "dnn/data/batch_loader.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

#include "support/small_dataset.hpp"

namespace dnn {
namespace {

Dataset ten_samples() {
  std::string text;
  for (int i = 0; i < 10; ++i) {
    text += std::to_string(i) + "," + std::to_string(10 * i) + "," + std::to_string(i % 3) + "\n";
  }
  return test::small_dataset<float>(text);
}

TEST(BatchLoader, GivesTheBatchesOfThePlanInOrder) {
  BatchLoader<float> loader(Gatherer<float>(ten_samples(), {}), 3);
  for (int pass = 0; pass < 3; ++pass) {
    loader.start(
        [](std::size_t step, std::vector<std::uint64_t>& samples) {
          samples.clear();
          for (std::size_t i = 3 * step; i < std::min<std::size_t>(3 * step + 3, 10); ++i) {
            samples.push_back(9 - i);
          }
        },
        4);
    for (std::size_t step = 0; step < 4; ++step) {
      const Batch<float> batch = loader.next();
      ASSERT_EQ(batch.X.rows(), step < 3 ? 3U : 1U);
      for (std::size_t s = 0; s < batch.X.rows(); ++s) {
        const std::size_t sample = 9 - (3 * step + s);
        EXPECT_EQ(batch.samples[s], sample);
        EXPECT_EQ(batch.X.dense()(s, 0), static_cast<float>(sample));
        EXPECT_EQ(batch.X.dense()(s, 1), static_cast<float>(10 * sample));
        EXPECT_EQ(batch.targets.classes[s], static_cast<std::int32_t>(sample % 3));
      }
    }
  }
}

TEST(BatchLoader, APassMayBeLeftBeforeItsEnd) {
  BatchLoader<double> loader(Gatherer<double>(ten_samples(), {}), 1);
  for (std::uint64_t pass = 0; pass < 5; ++pass) {
    loader.start([pass](std::size_t, std::vector<std::uint64_t>& s) { s.assign(1, pass); }, 100);
    EXPECT_EQ(loader.next().samples[0], pass);
    EXPECT_EQ(loader.next().samples[0], pass);
  }
}

TEST(BatchLoader, EmptyShardsAreBatchesWithoutRows) {
  BatchLoader<float> loader(Gatherer<float>(ten_samples(), {}), 1);
  loader.start([](std::size_t, std::vector<std::uint64_t>& s) { s.clear(); }, 2);
  EXPECT_EQ(loader.next().X.rows(), 0U);
  EXPECT_EQ(loader.next().X.rows(), 0U);
}

TEST(BatchLoader, ErrorsReachWhoeverWaits) {
  BatchLoader<float> loader(Gatherer<float>(ten_samples(), {}), 1);
  loader.start(
      [](std::size_t step, std::vector<std::uint64_t>& s) {
        if (step == 1) {
          throw std::runtime_error("lost the disk");
        }
        s.assign(1, 0);
      },
      3);
  EXPECT_EQ(loader.next().X.rows(), 1U);
  EXPECT_THROW((void)loader.next(), std::runtime_error);
}

}  // namespace
}  // namespace dnn
