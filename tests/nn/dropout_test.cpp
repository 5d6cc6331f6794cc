#include "dnn/nn/dropout.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <vector>

#include "dnn/core/random.hpp"
#include "support/test_numbers.hpp"

namespace dnn {
namespace {

constexpr std::size_t layer_width = 1001;

std::vector<float> dropped(double rate, std::uint64_t layer, std::uint64_t epoch,
                           const std::vector<std::uint64_t>& samples) {
  std::vector<float> x(samples.size() * layer_width, 1.0F);
  apply_dropout<float>({x.data(), samples.size(), layer_width}, rate, layer, {7, epoch, samples}, 0,
                       {0, samples.size()}, {0, layer_width});
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

/// Dropout element by element, as its definition reads.
template <class T>
void naive_dropout(MatrixView<T> X, double rate, std::uint64_t layer, const DropoutKey& key) {
  for (std::size_t s = 0; s < X.rows; ++s) {
    const RandomStream stream(key.seed, Purpose::dropout, layer, key.epoch, key.samples[s]);
    for (std::size_t j = 0; j < X.cols; ++j) {
      const std::uint32_t bits = stream.word(j / 2) >> (j % 2 * 16) & 0xffffU;
      const bool dropped = bits < static_cast<std::uint32_t>(std::lround(rate * 0x1p16));
      X(s, j) = dropped ? T{0} : X(s, j) * static_cast<T>(1 / (1 - rate));
    }
  }
}

template <class T>
void expect_dropout_as_naive(std::size_t columns, double rate) {
  const std::vector<std::uint64_t> samples = {3, 1ULL << 39, 12345};
  auto X = test::numbers<T>(samples.size() * columns, columns);
  X[columns / 2] = std::numeric_limits<T>::infinity();
  auto expected = X;
  const DropoutKey key{11, 2, samples};
  naive_dropout<T>({expected.data(), samples.size(), columns}, rate, 4, key);
  auto pieces = X;
  const Range rows{0, samples.size()};
  apply_dropout<T>({X.data(), samples.size(), columns}, rate, 4, key, 0, rows, {0, columns});
  EXPECT_EQ(X, expected) << columns << " columns, rate " << rate;
  for (std::size_t piece = 0; piece < 3; ++piece) {
    apply_dropout<T>({pieces.data(), samples.size(), columns}, rate, 4, key, 0, rows,
                     part_of(columns, 3, piece));
  }
  EXPECT_EQ(pieces, expected) << columns << " columns in three pieces, rate " << rate;
}

TEST(Dropout, IsTheNaiveOneAtEveryWidth) {
  for (const double rate : {0.0, 0.2, 0.5, 0.999999}) {
    for (const std::size_t columns : {1, 2, 7, 8, 9, 64, 100, 255, 256, 257, 512, 1001}) {
      expect_dropout_as_naive<float>(columns, rate);
      expect_dropout_as_naive<double>(columns, rate);
    }
  }
}

// A rank of a split layer has some of its nodes, or none.
TEST(Dropout, SomeNodesOfALayerAreDroppedAsAmongAll) {
  const auto all = dropped(0.5, 1, 1, {4});
  const std::vector<std::uint64_t> samples = {4};
  for (const std::size_t first : {0, 5, 16, 999, 1001}) {
    std::vector<float> some(layer_width - first, 1.0F);
    apply_dropout<float>({some.data(), 1, some.size()}, 0.5, 1, {7, 1, samples}, first, {0, 1},
                         {0, some.size()});
    EXPECT_EQ(some,
              std::vector<float>(all.begin() + static_cast<std::ptrdiff_t>(first), all.end()));
  }
}

TEST(Dropout, FollowsTheSampleWhereverItStandsInTheBatch) {
  const auto one = dropped(0.5, 2, 3, {41, 42});
  const auto other = dropped(0.5, 2, 3, {42});
  EXPECT_EQ(std::vector<float>(one.begin() + layer_width, one.end()), other);
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
