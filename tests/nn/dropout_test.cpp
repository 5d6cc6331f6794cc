#include "dnn/nn/dropout.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <stdexcept>
#include <vector>

namespace dnn {
namespace {

constexpr std::size_t width = 1001;

std::vector<float> dropped(double rate, std::uint64_t layer, std::uint64_t epoch,
                           const std::vector<std::uint64_t>& samples) {
  std::vector<float> x(samples.size() * width, 1.0F);
  apply_dropout<float>({x.data(), samples.size(), width}, rate, layer, {7, epoch, samples});
  return x;
}

TEST(Dropout, KeepsTheExpectedValue) {
  std::vector<std::uint64_t> samples(400);
  std::iota(samples.begin(), samples.end(), 0U);
  const auto x = dropped(0.3, 1, 1, samples);
  std::size_t zeros = 0;
  for (const float value : x) {
    ASSERT_TRUE(value == 0 || value == static_cast<float>(1 / 0.7));
    zeros += value == 0 ? 1 : 0;
  }
  const double rate = static_cast<double>(zeros) / static_cast<double>(x.size());
  EXPECT_NEAR(rate, 0.3, 4 * std::sqrt(0.3 * 0.7 / static_cast<double>(x.size())) + 0x1p-16);
}

TEST(Dropout, FollowsTheSampleWhereverItStandsInTheBatch) {
  const auto one = dropped(0.5, 2, 3, {41, 42});
  const auto other = dropped(0.5, 2, 3, {42});
  EXPECT_EQ(std::vector<float>(one.begin() + width, one.end()), other);
}

TEST(Dropout, DiffersBetweenSamplesLayersAndEpochs) {
  const auto base = dropped(0.5, 1, 1, {5});
  EXPECT_NE(base, dropped(0.5, 1, 1, {6}));
  EXPECT_NE(base, dropped(0.5, 2, 1, {5}));
  EXPECT_NE(base, dropped(0.5, 1, 2, {5}));
}

TEST(Dropout, RefusesRatesWithoutMeaning) {
  EXPECT_THROW(dropped(1.0, 1, 1, {1}), std::invalid_argument);
  EXPECT_THROW(dropped(-0.1, 1, 1, {1}), std::invalid_argument);
  EXPECT_THROW(dropped(std::nan(""), 1, 1, {1}), std::invalid_argument);
}

}  // namespace
}  // namespace dnn
