#include "dnn/evaluate/figures.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "dnn/evaluate/class_figures.hpp"
#include "dnn/evaluate/evaluator.hpp"
#include "dnn/nn/softmax_row.hpp"
#include "dnn/parallel/top_classes.hpp"
#include "support/mpi_world.hpp"

namespace dnn {
namespace {

using test::world;
using Figures = std::map<std::string, double>;

constexpr std::size_t samples = 60;

Figures by_name(const std::vector<Figure>& figures) {
  Figures map;
  for (const Figure& figure : figures) {
    map[figure.name] = figure.value;
  }
  return map;
}

double number(std::size_t i) {
  return static_cast<double>(i * 7919 % 1009) / 200 - 2.5;
}

/// Outputs and targets of all samples, the same on every rank.
struct Example {
  std::size_t outputs;
  std::vector<double> A;
  std::vector<double> rows;
  std::vector<std::int32_t> labels;
  std::vector<double> weights;

  explicit Example(std::size_t count) : outputs(count) {
    for (std::size_t s = 0; s < samples; ++s) {
      labels.push_back(static_cast<std::int32_t>(s * s % outputs));
      weights.push_back(0.25 * static_cast<double>(s % 5));
      for (std::size_t j = 0; j < outputs; ++j) {
        const bool own = static_cast<std::size_t>(labels.back()) == j;
        A.push_back(number(s * outputs + j) + (own ? 1.5 : 0));
        rows.push_back(number(s * outputs + j + 5) + A.back());
      }
    }
  }

  /// Collective: the figures, where each rank adds the samples of `mine`.
  [[nodiscard]] std::vector<Figure> figures(const Dataset& data, Range mine) const {
    const auto sums = make_figures<double>(data, {{0, outputs}, nullptr}, true);
    for (std::size_t s = mine.begin; s < mine.end; ++s) {
      const std::span<const double> a = std::span(A).subspan(s * outputs, outputs);
      const double max = row_max(a);
      const SoftmaxRow row{max, exp_sum(a, max)};
      Targets targets;
      targets.classes = std::span<const std::int32_t>(labels).subspan(s, 1);
      if (has_target_rows(data.task)) {
        targets = Targets(MatrixView<const double>{rows.data() + s * outputs, 1, outputs},
                          std::span(weights).subspan(s, 1));
      }
      sums->add({a.data(), 1, outputs}, targets, {&row, 1});
    }
    return sums->finish(world());
  }

  /// The same however the samples lie on the ranks.
  [[nodiscard]] Figures figures_of(const Dataset& data) const {
    const auto ranks = static_cast<std::size_t>(world().size());
    const auto rank = static_cast<std::size_t>(world().rank());
    const std::vector<Figure> even = figures(data, part_of(samples, ranks, rank));
    EXPECT_EQ(even, figures(data, rank == 0 ? Range{0, samples} : Range{}));
    EXPECT_EQ(even, figures(data, rank + 1 == ranks ? Range{0, samples} : Range{}));
    return by_name(even);
  }
};

Dataset data_of(Task task, std::size_t outputs) {
  Dataset data;
  data.task = task;
  for (std::size_t j = 0; j < outputs; ++j) {
    data.class_names.push_back("y" + std::to_string(j));
  }
  return data;
}

TEST(Figures, OfNumbersAreThoseOfTheFormulas) {
  const Example example(2);
  Dataset data = data_of(Task::numbers, 2);
  data.target_scale = {{100, -3}, {0.01, 4}};  // deviations of 100 and 1/4
  const Figures figures = example.figures_of(data);
  double r2_sum = 0;
  for (const std::size_t j : {std::size_t{0}, std::size_t{1}}) {
    const double deviation = j == 0 ? 100 : 0.25;
    double weight = 0;
    double mean = 0;
    for (std::size_t s = 0; s < samples; ++s) {
      weight += example.weights[s];
      mean += example.weights[s] * example.rows[2 * s + j];
    }
    mean /= weight;
    double squares = 0;
    double absolute = 0;
    double spread = 0;
    for (std::size_t s = 0; s < samples; ++s) {
      const double error = example.A[2 * s + j] - example.rows[2 * s + j];
      squares += example.weights[s] * error * error;
      absolute += example.weights[s] * std::abs(error);
      spread += example.weights[s] * std::pow(example.rows[2 * s + j] - mean, 2);
    }
    const std::string of = "(y" + std::to_string(j) + ")";
    EXPECT_NEAR(figures.at("rmse" + of), deviation * std::sqrt(squares / weight), 1e-10);
    EXPECT_NEAR(figures.at("mae" + of), deviation * absolute / weight, 1e-10);
    EXPECT_NEAR(figures.at("r2" + of), 1 - squares / spread, 1e-12);
    r2_sum += figures.at("r2" + of);
  }
  EXPECT_NEAR(figures.at("r2"), r2_sum / 2, 1e-15);
}

// However large the number is, and wherever the samples lie that have it.
TEST(Figures, OfANumberThatIsAlwaysTheSameHaveNoR2) {
  for (const double value : {0.1, -7.3, 1e6 / 3}) {
    Example example(1);
    std::ranges::fill(example.rows, value);
    example.rows[0] = 9;  // of no weight
    EXPECT_EQ(example.figures_of(data_of(Task::numbers, 1)).at("r2"), 0) << value;
    std::ranges::fill(example.A, value);
    EXPECT_EQ(example.figures_of(data_of(Task::numbers, 1)).at("r2"), 1) << value;
  }
}

TEST(Figures, OfOneNumberHaveShortNames) {
  const Figures figures = Example(1).figures_of(data_of(Task::numbers, 1));
  EXPECT_EQ(figures.size(), 3U);
  EXPECT_TRUE(figures.contains("r2") && figures.contains("rmse") && figures.contains("mae"));
}

TEST(Figures, OfLabelsAreThoseOfTheFormulas) {
  Example example(3);
  for (double& target : example.rows) {
    target = target > 0.5 ? 1 : 0;
  }
  const Figures figures = example.figures_of(data_of(Task::labels, 3));
  double all[3] = {};
  double macro = 0;
  for (std::size_t j = 0; j < 3; ++j) {
    double own[3] = {};
    for (std::size_t s = 0; s < samples; ++s) {
      const bool given = example.A[3 * s + j] >= 0;
      const bool right = example.rows[3 * s + j] > 0;
      own[0] += given && right ? example.weights[s] : 0;
      own[1] += given && !right ? example.weights[s] : 0;
      own[2] += !given && right ? example.weights[s] : 0;
    }
    macro += 2 * own[0] / (2 * own[0] + own[1] + own[2]) / 3;
    for (std::size_t i = 0; i < 3; ++i) {
      all[i] += own[i];
    }
  }
  EXPECT_NEAR(figures.at("f1_macro"), macro, 1e-12);
  EXPECT_NEAR(figures.at("f1_micro"), 2 * all[0] / (2 * all[0] + all[1] + all[2]), 1e-12);
}

/// The figures of classes as their definitions read, from probabilities of all samples.
struct NaiveClasses {
  double balanced = 0, f1 = 0, ece = 0, auc = 0;

  explicit NaiveClasses(const Example& example) {
    const std::size_t classes = example.outputs;
    std::vector<std::vector<double>> y;
    std::vector<std::size_t> given;
    std::vector<double> bins(3 * 15, 0.0);
    for (std::size_t s = 0; s < samples; ++s) {
      y.emplace_back();
      double sum = 0;
      for (std::size_t j = 0; j < classes; ++j) {
        y.back().push_back(std::exp(example.A[s * classes + j]));
        sum += y.back().back();
      }
      std::transform(y.back().begin(), y.back().end(), y.back().begin(),
                     [sum](double p) { return p / sum; });
      const auto largest = std::max_element(y.back().begin(), y.back().end());
      given.push_back(static_cast<std::size_t>(largest - y.back().begin()));
      const auto bin = static_cast<std::size_t>(*largest * 15);
      bins[3 * bin] += 1;
      bins[3 * bin + 1] += *largest;
      bins[3 * bin + 2] += given.back() == label(example, s) ? 1 : 0;
    }
    for (std::size_t b = 0; b < 15; ++b) {
      ece += std::abs(bins[3 * b + 1] - bins[3 * b + 2]) / samples;
    }
    std::size_t curves = 0;
    for (std::size_t c = 0; c < classes; ++c) {
      double actual = 0, predicted = 0, right = 0;
      double better = 0, pairs = 0;
      for (std::size_t s = 0; s < samples; ++s) {
        actual += label(example, s) == c ? 1 : 0;
        predicted += given[s] == c ? 1 : 0;
        right += label(example, s) == c && given[s] == c ? 1 : 0;
        for (std::size_t t = 0; t < samples; ++t) {
          if (label(example, s) == c && label(example, t) != c) {
            pairs += 1;
            better += y[s][c] > y[t][c] ? 1 : y[s][c] == y[t][c] ? 0.5 : 0;
          }
        }
      }
      if (pairs > 0 && (classes > 2 || c == 1)) {
        auc += better / pairs;
        ++curves;
      }
      balanced += actual > 0 ? right / actual : 0;
      f1 += actual + predicted > 0 ? 2 * right / (actual + predicted) : 0;
      occurring += actual > 0 ? 1 : 0;
      either += actual + predicted > 0 ? 1 : 0;
    }
    balanced /= occurring;
    f1 /= either;
    auc /= static_cast<double>(curves);
  }

 private:
  static std::size_t label(const Example& example, std::size_t s) {
    return static_cast<std::size_t>(example.labels[s]);
  }
  double occurring = 0, either = 0;
};

TEST(Figures, OfClassesAreThoseOfTheDefinitions) {
  for (const std::size_t classes : {2U, 3U, 7U}) {
    const Example example(classes);
    const Figures figures = example.figures_of(data_of(Task::classes, classes));
    const NaiveClasses naive(example);
    EXPECT_NEAR(figures.at("balanced_accuracy"), naive.balanced, 1e-12) << classes;
    EXPECT_NEAR(figures.at("f1_macro"), naive.f1, 1e-12) << classes;
    EXPECT_NEAR(figures.at("ece"), naive.ece, 1e-12) << classes;
    EXPECT_NEAR(figures.at("auc"), naive.auc, 1e-12) << classes;
  }
}

// As top_classes() has it, which finds the class where ranks share the outputs.
TEST(Figures, ALogitThatIsNoNumberIsNotTheLargest) {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  for (const std::vector<double>& row :
       {std::vector{nan, 1.0, 2.0}, {2.0, nan, 1.0}, {nan, nan, nan}, {-1.0 / 0.0, nan, nan}}) {
    std::int32_t top = -1;
    top_classes<double>(nullptr, {0, 3}, {row.data(), 1, 3}, 1, {&top, 1});
    EXPECT_EQ(predicted_class<double>(row), top);
  }
}

TEST(Figures, TheAreaUnderTheCurveCountsEqualScoresAsHalf) {
  const auto area = [](std::vector<std::pair<double, bool>> scores) {
    return area_under_curve(scores);
  };
  EXPECT_EQ(area({{1, true}, {0, false}}), 1);
  EXPECT_EQ(area({{0, true}, {1, false}}), 0);
  EXPECT_EQ(area({{1, true}, {1, false}}), 0.5);
  EXPECT_EQ(area({{3, true}, {1, true}, {2, false}, {1, false}}), 0.625);
  EXPECT_TRUE(std::isnan(area({{1, true}, {2, true}})));
  EXPECT_TRUE(std::isnan(area({{std::numeric_limits<double>::quiet_NaN(), true}, {2, false}})));
}

}  // namespace
}  // namespace dnn
