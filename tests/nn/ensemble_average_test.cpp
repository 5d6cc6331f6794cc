#include "dnn/nn/ensemble_average.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "dnn/core/error.hpp"
#include "dnn/nn/softmax.hpp"
#include "support/ensemble_reference.hpp"
#include "support/test_numbers.hpp"

namespace dnn {
namespace {

constexpr EnsembleAverage both[] = {EnsembleAverage::logits, EnsembleAverage::probabilities};

template <class T>
class AverageOf : public testing::Test {
 protected:
  using Models = std::vector<std::vector<T>>;
  static constexpr T inf = std::numeric_limits<T>::infinity();
  static constexpr T nan = std::numeric_limits<T>::quiet_NaN();
  static constexpr T largest = std::numeric_limits<T>::max();
  static constexpr T huge = sizeof(T) == 4 ? T(1e4) : T(1e300);

  static std::vector<T> average_of(EnsembleAverage kind, const Models& models,
                                   Task task = Task::classes) {
    const std::vector<std::span<const T>> views(models.begin(), models.end());
    std::vector<T> a(models[0].size());
    average<T>(kind, task, views, a);
    return a;
  }
  static std::vector<T> probabilities(EnsembleAverage kind, const Models& models) {
    std::vector<T> a = average_of(kind, models);
    softmax(std::span(a));
    return a;
  }
};
using Elements = testing::Types<float, double>;
TYPED_TEST_SUITE(AverageOf, Elements);

TYPED_TEST(AverageOf, OneModelIsItsLogits) {
  for (const EnsembleAverage kind : both) {
    const std::vector<TypeParam> a = {3, -this->huge, -this->inf, this->largest};
    EXPECT_EQ(this->average_of(kind, {a}), a);
  }
}

TYPED_TEST(AverageOf, IsTheReference) {
  using T = TypeParam;
  for (const EnsembleAverage kind : both) {
    for (const std::size_t models : {2U, 3U, 5U}) {
      for (const std::size_t classes : {1U, 2U, 10U, 1000U}) {
        for (const double spread : {0.01, 1.0, 30.0, 1000.0}) {
          std::vector<std::vector<T>> A;
          for (std::size_t k = 0; k < models; ++k) {
            A.push_back(test::numbers<T>(classes, classes * 100 + k));
            for (T& a : A.back()) {
              a *= static_cast<T>(spread);
            }
          }
          test::expect_is_reference<T>(kind, A, this->probabilities(kind, A));
        }
      }
    }
  }
}

TYPED_TEST(AverageOf, IsFiniteAndExactAtTheExtremes) {
  using T = TypeParam;
  using V = std::vector<T>;
  const T h = this->huge;
  const T m = this->largest;
  EXPECT_EQ(this->average_of(EnsembleAverage::logits, {{m, -m}, {m, -m}, {m, -m}}), (V{m, -m}));
  EXPECT_EQ(this->average_of(EnsembleAverage::logits, {{h, -h}, {h, h}}), (V{h, 0}));
  for (const EnsembleAverage kind : both) {
    for (const T value : {h, -h, T{0}}) {
      EXPECT_EQ(this->probabilities(kind, {V(4, value), V(4, -value), V(4, value)}), V(4, 0.25));
    }
    EXPECT_EQ(this->probabilities(kind, {{h, -h, 0}, {h, 0, -h}}), (V{1, 0, 0}));
  }
  // One model is sure of the first class, one of the second: as probabilities, half of each.
  const V half = this->probabilities(EnsembleAverage::probabilities, {{h, -h, 0}, {-h, h, 0}});
  EXPECT_EQ(half, (V{0.5, 0.5, 0}));
}

// The log of the mean stays exact where every model's probability underflows.
TYPED_TEST(AverageOf, ProbabilitiesThatUnderflowHaveALog) {
  using T = TypeParam;
  const T h = this->huge;
  const auto a = this->average_of(EnsembleAverage::probabilities, {{h, -h}, {h, 0}});
  EXPECT_EQ(a[0], 0);
  EXPECT_EQ(a[1], static_cast<T>(static_cast<double>(-h) - std::log(2.0)));
}

TYPED_TEST(AverageOf, MasksAClassThatOneOrAllModelsMask) {
  using T = TypeParam;
  using V = std::vector<T>;
  constexpr T masked = -TestFixture::inf;
  EXPECT_EQ(this->probabilities(EnsembleAverage::logits, {{masked, 7, 7}, {7, 7, 7}}),
            (V{0, 0.5, 0.5}));
  EXPECT_EQ(this->probabilities(EnsembleAverage::probabilities, {{masked, 7}, {masked, 8}}),
            (V{0, 1}));
  const V y = this->probabilities(EnsembleAverage::probabilities, {{masked, 7}, {7, 7}});
  EXPECT_NEAR(y[0], 0.25, 1e-6);
}

TYPED_TEST(AverageOf, WhatHasNoValueIsDiagnosed) {
  constexpr TypeParam infinite = TestFixture::inf;
  for (const EnsembleAverage kind : both) {
    for (const std::vector<TypeParam>& bad :
         {std::vector<TypeParam>{1, this->nan}, {infinite, 1}, {-infinite, -infinite}}) {
      EXPECT_THROW(this->probabilities(kind, {{1, 2}, bad}), NumericalError);
      EXPECT_THROW(this->probabilities(kind, {bad, {1, 2}, {3, 4}}), NumericalError);
    }
  }
  // Two models that between them mask every class.
  EXPECT_THROW(this->probabilities(EnsembleAverage::logits, {{-infinite, 1}, {1, -infinite}}),
               NumericalError);
}

TYPED_TEST(AverageOf, NumbersAreTheirMeanOfEitherKind) {
  using V = std::vector<TypeParam>;
  for (const EnsembleAverage kind : both) {
    EXPECT_EQ(this->average_of(kind, {{1, 2e6, -4}, {3, 4e6, -2}}, Task::numbers), (V{2, 3e6, -3}));
  }
}

TYPED_TEST(AverageOf, ProbabilitiesOfLabelsAreAveragedEachByItself) {
  using T = TypeParam;
  const std::vector<std::vector<T>> A = {{-3, 0, 2, 9}, {1, 0, 4, -9}, {-7, 0, 30, 1}};
  const std::vector<T> a = this->average_of(EnsembleAverage::probabilities, A, Task::labels);
  for (std::size_t j = 0; j < a.size(); ++j) {
    double mean = 0;
    for (const std::vector<T>& model : A) {
      mean += 1 / (1 + std::exp(-static_cast<double>(model[j]))) / 3;
    }
    EXPECT_NEAR(1 / (1 + std::exp(-static_cast<double>(a[j]))), mean, 1e-6) << j;
  }
}

TYPED_TEST(AverageOf, ProbabilitiesOfLabelsAreFiniteAtTheExtremes) {
  using T = TypeParam;
  using V = std::vector<T>;
  const auto labels = [](const std::vector<V>& models) {
    return TestFixture::average_of(EnsembleAverage::probabilities, models, Task::labels);
  };
  const T h = this->huge;
  const T m = this->largest;
  EXPECT_EQ(labels({{h, -h, h, 0}, {h, -h, -h, 0}}), (V{h, -h, 0, 0}));
  EXPECT_EQ(labels({{m, -m, m}, {m, -m, -m}}), (V{m, -m, 0}));
  const V quarter = labels({{-h, h}, {0, 0}});  // log 1/3, log 3
  EXPECT_NEAR(quarter[0], -std::log(3.0), 1e-6);
  EXPECT_NEAR(quarter[1], std::log(3.0), 1e-6);
  for (const T bad : {this->nan, this->inf, -this->inf}) {
    EXPECT_THROW(labels({{1, 2}, {1, bad}}), NumericalError);
  }
}

}  // namespace
}  // namespace dnn
