#include "dnn/nn/softmax.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>
#include <stdexcept>
#include <vector>

#include "dnn/core/error.hpp"
#include "support/test_numbers.hpp"

namespace dnn {
namespace {

template <class T>
class SoftmaxOf : public testing::Test {
 protected:
  static constexpr T inf = std::numeric_limits<T>::infinity();
  static constexpr T nan = std::numeric_limits<T>::quiet_NaN();
  /// The extremes of the derivation: 1e4 in float, 1e300 in double.
  static constexpr T huge = sizeof(T) == 4 ? T(1e4) : T(1e300);

  static std::vector<T> softmax_of(std::vector<T> a) {
    softmax(std::span(a));
    return a;
  }
};
using Elements = testing::Types<float, double>;
TYPED_TEST_SUITE(SoftmaxOf, Elements);

TYPED_TEST(SoftmaxOf, FiniteAndExactAtTheExtremes) {
  using T = TypeParam;
  using V = std::vector<T>;
  const T large = this->huge;
  EXPECT_EQ(this->softmax_of({large, -large, 0}), (V{1, 0, 0}));
  EXPECT_EQ(this->softmax_of({large, large}), (V{0.5, 0.5}));
  EXPECT_EQ(this->softmax_of({-large, -large, -large, -large}), (V{0.25, 0.25, 0.25, 0.25}));
  EXPECT_EQ(this->softmax_of({T{3}}), (V{1}));
  EXPECT_EQ(this->softmax_of({-this->inf, 7, 7, -this->inf}), (V{0, 0.5, 0.5, 0}));
  const auto y = this->softmax_of({1000, 1001});
  EXPECT_NEAR(y[1], 1 / (1 + std::exp(-1.0)), 1e-6);
}

TYPED_TEST(SoftmaxOf, DiagnosesWhatHasNoValue) {
  EXPECT_THROW(this->softmax_of({1, this->nan}), NumericalError);
  EXPECT_THROW(this->softmax_of({this->nan, 1}), NumericalError);
  EXPECT_THROW(this->softmax_of({1, this->inf}), NumericalError);
  EXPECT_THROW(this->softmax_of({-this->inf, -this->inf}), NumericalError);
}

// ln y from a - m - ln s is exact where ln(softmax) would be ln 0.
TYPED_TEST(SoftmaxOf, LossIsFiniteWhereTheProbabilityUnderflows) {
  using T = TypeParam;
  const std::vector<T> a = {this->huge, -this->huge};
  const std::vector<std::int32_t> wrong = {1};
  const LossSums sums =
      SoftmaxCrossEntropy().evaluate<T>(MatrixView<const T>{a.data(), 1, 2}, wrong);
  EXPECT_DOUBLE_EQ(sums.loss.value(), 2 * static_cast<double>(this->huge));
  EXPECT_EQ(sums.correct.value(), 0);
}

TYPED_TEST(SoftmaxOf, MaskedClassTakesNoPart) {
  using T = TypeParam;
  std::vector<T> a = {1, -this->inf, 1};
  const MatrixView<T> A{a.data(), 1, 3};
  const std::vector<std::int32_t> first = {0};
  const std::vector<std::int32_t> masked = {1};
  EXPECT_THROW((void)SoftmaxCrossEntropy().evaluate<T>(A, masked), NumericalError);
  const LossSums sums = SoftmaxCrossEntropy().differentiate<T>(A, first, 1);
  EXPECT_NEAR(sums.loss.value(), std::log(2.0), 1e-6);
  EXPECT_EQ(a, (std::vector<T>{-0.5, 0, 0.5}));
}

TYPED_TEST(SoftmaxOf, CountsTheFirstOfEqualLogits) {
  using T = TypeParam;
  const std::vector<T> a = {2, 2, 1};
  const MatrixView<const T> A{a.data(), 1, 3};
  const std::vector<std::int32_t> first = {0};
  const std::vector<std::int32_t> second = {1};
  EXPECT_EQ(SoftmaxCrossEntropy().evaluate<T>(A, first).correct.value(), 1);
  EXPECT_EQ(SoftmaxCrossEntropy().evaluate<T>(A, second).correct.value(), 0);
}

// A sample of weight k counts as k copies: with weights of mean 1, the same loss and, summed over
// the samples of equal logits, the same gradient.
TYPED_TEST(SoftmaxOf, AWeightOfKCountsAsKCopies) {
  using T = TypeParam;
  const std::vector<T> rows = {1, -2, 0.5, 0.25, 3, -1, -0.5, 0.5, 2};
  const std::vector<std::int32_t> labels = {2, 0, 1};
  const std::vector<std::size_t> copies = {1, 3, 2};
  std::vector<T> copied;
  std::vector<std::int32_t> copied_labels;
  std::vector<double> weights;
  for (std::size_t s = 0; s < 3; ++s) {
    weights.push_back(static_cast<double>(copies[s]) * 3 / 6);
    for (std::size_t k = 0; k < copies[s]; ++k) {
      copied.insert(copied.end(), &rows[s * 3], &rows[s * 3] + 3);
      copied_labels.push_back(labels[s]);
    }
  }
  std::vector<T> weighted = rows;
  const SoftmaxCrossEntropy loss(0.1, {1, 2, 0.5});
  const LossSums by_weight =
      loss.differentiate<T>(MatrixView<T>{weighted.data(), 3, 3}, Targets(labels, weights), 3);
  const LossSums by_copies =
      loss.differentiate<T>(MatrixView<T>{copied.data(), 6, 3}, copied_labels, 6);
  constexpr double epsilon = std::numeric_limits<T>::epsilon();
  EXPECT_NEAR(by_weight.loss.value() / 3, by_copies.loss.value() / 6, 8 * epsilon);
  EXPECT_DOUBLE_EQ(by_weight.weight.value(), 3);
  EXPECT_DOUBLE_EQ(by_weight.correct.value() / 3, by_copies.correct.value() / 6);
  std::size_t copy = 0;
  for (std::size_t s = 0; s < 3; ++s) {
    for (std::size_t j = 0; j < 3; ++j) {
      const double sum = static_cast<double>(copies[s]) * static_cast<double>(copied[copy * 3 + j]);
      EXPECT_NEAR(weighted[s * 3 + j], sum, 4 * epsilon) << s << ' ' << j;
    }
    copy += copies[s];
  }
}

/// Softmax and cross-entropy of one row as the formulas read, in long double.
template <class T>
struct NaiveRow {
  std::vector<long double> y;
  long double loss;

  NaiveRow(std::span<const T> a, std::size_t label) : y(a.size()) {
    const long double max = *std::max_element(a.begin(), a.end());
    long double sum = 0;
    for (std::size_t j = 0; j < a.size(); ++j) {
      y[j] = std::exp(static_cast<long double>(a[j]) - max);
      sum += y[j];
    }
    for (long double& value : y) {
      value /= sum;
    }
    loss = std::log(sum) - (static_cast<long double>(a[label]) - max);
  }
};

/// How far T's arithmetic may be from the naive row: a few roundings of y, and that of a_j - m,
/// which exp makes relative; below the smallest normal number results are 0.
template <class T>
double tolerance(long double y, double difference) {
  constexpr double epsilon = std::numeric_limits<T>::epsilon();
  return static_cast<double>(y) * (8 + difference) * epsilon + std::numeric_limits<T>::min();
}

template <class T>
void expect_as_naive(const std::vector<T>& a, std::size_t label) {
  const NaiveRow<T> naive(std::span<const T>(a), label);
  const double max = *std::max_element(a.begin(), a.end());
  std::vector<T> y = a;
  std::vector<T> dA = a;
  softmax(std::span(y));
  const std::vector<std::int32_t> labels = {static_cast<std::int32_t>(label)};
  const LossSums sums =
      SoftmaxCrossEntropy().differentiate<T>(MatrixView<T>{dA.data(), 1, a.size()}, labels, 1);
  const double loss = static_cast<double>(naive.loss);
  EXPECT_NEAR(sums.loss.value(), loss, (4 + loss) * 2 * std::numeric_limits<T>::epsilon());
  double worst = 0;  // distance over what is allowed
  for (std::size_t j = 0; j < a.size(); ++j) {
    const double allowed = tolerance<T>(naive.y[j], max - static_cast<double>(a[j]));
    const long double target = j == label ? 1 : 0;
    const double rounding = j == label ? std::numeric_limits<T>::epsilon() : 0;
    worst = std::max(worst, static_cast<double>(std::abs(y[j] - naive.y[j])) / allowed);
    worst = std::max(
        worst, static_cast<double>(std::abs(dA[j] - (naive.y[j] - target))) / (allowed + rounding));
  }
  EXPECT_LE(worst, 1.0) << "width " << a.size();
}

TYPED_TEST(SoftmaxOf, IsTheNaiveRowAtEveryWidth) {
  using T = TypeParam;
  const auto check = [](std::size_t width, std::size_t rows) {
    for (std::size_t row = 0; row < rows; ++row) {
      auto a = test::numbers<T>(width, width * 1000 + row);
      const T spread = static_cast<T>(std::array{0.01, 1.0, 10.0, 100.0}[row % 4]);
      std::transform(a.begin(), a.end(), a.begin(), [spread](T value) { return value * spread; });
      expect_as_naive(a, row * 7 % width);
    }
  };
  for (std::size_t width = 1; width <= 70; ++width) {
    check(width, 40);
  }
  check(1000, 40);
  check(100003, 4);
}

// A row's values must not follow from where it lies, nor evaluate's loss from differentiate's way.
TYPED_TEST(SoftmaxOf, DependsOnTheRowAlone) {
  using T = TypeParam;
  for (const std::size_t width : {1U, 10U, 16U, 37U, 1000U}) {
    constexpr std::size_t rows = 5;
    const auto batch = test::numbers<T>(rows * width, width);
    const std::vector<std::int32_t> labels(rows, 0);
    const SoftmaxCrossEntropy loss;
    std::vector<T> together = batch;
    const double sum =
        loss.differentiate<T>(MatrixView<T>{together.data(), rows, width}, labels, 3).loss.value();
    EXPECT_EQ(loss.evaluate<T>(MatrixView<const T>{batch.data(), rows, width}, labels).loss.value(),
              sum);
    for (std::size_t shift = 1; shift < 16; shift += 2) {  // another alignment
      std::vector<T> moved(shift + width);
      std::copy_n(batch.begin() + 2 * width, width, moved.begin() + shift);
      loss.differentiate<T>(MatrixView<T>{moved.data() + shift, 1, width},
                            Targets({labels.data(), 1}), 3);
      EXPECT_TRUE(std::equal(moved.begin() + shift, moved.end(), together.begin() + 2 * width));
    }
  }
}

// dA^N against central differences of the loss, with and without smoothing and weights.
TEST(SoftmaxCrossEntropy, GradientIsTheLossesDifferenceQuotient) {
  constexpr std::size_t samples = 5;
  constexpr std::size_t classes = 4;
  const std::vector<std::int32_t> labels = {0, 3, 1, 2, 3};
  const auto start = test::numbers<double>(samples * classes, 8);
  for (const double smoothing : {0.0, 0.1}) {
    for (const std::vector<double>& weights :
         {std::vector<double>{}, std::vector<double>{0.5, 2, 0, 1.25}}) {
      const SoftmaxCrossEntropy loss(smoothing, weights);
      constexpr std::size_t global = 7;  // other ranks' samples count in the mean
      std::vector<double> dA = start;
      const double value = loss.differentiate<double>(
                                   MatrixView<double>{dA.data(), samples, classes}, labels, global)
                               .loss.value();
      const auto loss_at = [&](std::size_t i, double step) {
        std::vector<double> moved = start;
        moved[i] += step;
        return loss.evaluate<double>(MatrixView<const double>{moved.data(), samples, classes},
                                     labels)
                   .loss.value() /
               global;
      };
      EXPECT_DOUBLE_EQ(value / global, loss_at(0, 0));
      for (std::size_t i = 0; i < start.size(); ++i) {
        constexpr double h = 1e-6;
        EXPECT_NEAR(dA[i], (loss_at(i, h) - loss_at(i, -h)) / (2 * h), 1e-9);
      }
    }
  }
}

TEST(SoftmaxCrossEntropy, SmoothedLossByHand) {
  // Two classes, logits 0 and ln 3: y = (1/4, 3/4); ε = 0.2 gives ŷ = (0.9, 0.1) for label 0.
  const std::vector<double> a = {0, std::log(3.0)};
  const std::vector<std::int32_t> label = {0};
  const SoftmaxCrossEntropy loss(0.2, {2.0, 1.0});
  const double expected = 2 * -(0.9 * std::log(0.25) + 0.1 * std::log(0.75));
  EXPECT_NEAR(loss.evaluate<double>(MatrixView<const double>{a.data(), 1, 2}, label).loss.value(),
              expected, 1e-14);
}

TEST(SoftmaxCrossEntropy, RefusesSettingsWithoutMeaning) {
  EXPECT_THROW(SoftmaxCrossEntropy(1.0), std::invalid_argument);
  EXPECT_THROW(SoftmaxCrossEntropy(-0.1), std::invalid_argument);
  EXPECT_THROW(SoftmaxCrossEntropy(0, {1, -1}), std::invalid_argument);
}

}  // namespace
}  // namespace dnn
