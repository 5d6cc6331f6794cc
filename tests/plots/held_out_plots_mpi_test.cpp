// The plots of held-out samples: the same however the samples lie on the ranks, and what the
// definitions say.

#include "dnn/plots/held_out_plots.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "dnn/core/partition.hpp"
#include "dnn/core/random.hpp"
#include "dnn/nn/softmax_row.hpp"
#include "dnn/plots/label_counts.hpp"
#include "support/mpi_world.hpp"

namespace dnn {
namespace {

using Json = nlohmann::ordered_json;
using test::world;

constexpr std::size_t samples = 300;

double number(std::size_t i) {
  return static_cast<double>(i * 7919 % 1009) / 200 - 2.5;
}

/// Outputs and targets of all samples, the same on every rank.
struct PlottedExample {
  Dataset data;
  std::size_t outputs;
  std::vector<double> A, rows;
  std::vector<std::int32_t> labels;

  PlottedExample(Task task, std::size_t count) : outputs(count) {
    data.task = task;
    for (std::size_t j = 0; j < outputs; ++j) {
      data.class_names.push_back("y" + std::to_string(j));
    }
    for (std::size_t s = 0; s < samples; ++s) {
      labels.push_back(static_cast<std::int32_t>(s * s % outputs));
      for (std::size_t j = 0; j < outputs; ++j) {
        const bool own = static_cast<std::size_t>(labels.back()) == j;
        A.push_back(number(s * outputs + j) + (own ? 1.5 : 0));
        const double truth = number(s * outputs + j + 5) + A.back();
        rows.push_back(task == Task::labels ? (truth > 0.5 ? 1 : 0) : truth);
      }
      if (task == Task::distribution) {  // shares, some of which are 0
        double sum = 0;
        for (double& share : row_of(s)) {
          share = std::max(share, 0.0) + (&share == &row_of(s).back() ? 0.01 : 0);
          sum += share;
        }
        for (double& share : row_of(s)) {
          share /= sum;
        }
      }
    }
  }
  [[nodiscard]] std::span<double> row_of(std::size_t s) {
    return std::span(rows).subspan(s * outputs, outputs);
  }

  /// Collective: the plots, where each rank adds the samples of `mine`; on all ranks.
  [[nodiscard]] Json plots(Range mine) const {
    const Permutation order(samples, RandomStream(1, Purpose::plotted_samples));
    const auto plots = make_plots<double>(data, {{0, outputs}, nullptr}, order);
    for (std::uint64_t s = mine.begin; s < mine.end; ++s) {
      const std::span<const double> a = std::span(A).subspan(s * outputs, outputs);
      const double max = row_max(a);
      const SoftmaxRow row{max, exp_sum(a, max)};
      Targets targets;
      targets.classes = std::span<const std::int32_t>(labels).subspan(s, 1);
      if (has_target_rows(data.task)) {
        targets = Targets(MatrixView<const double>{rows.data() + s * outputs, 1, outputs});
      }
      plots->add({a.data(), 1, outputs}, targets, {&row, 1}, {&s, 1});
    }
    return Json::parse(world().broadcast(plots->finish(world()).dump(), 0));
  }

  /// Collective: the plots, where all ranks hold the network together, each some of its outputs.
  [[nodiscard]] Json split_plots() const {
    const Permutation order(samples, RandomStream(1, Purpose::plotted_samples));
    const auto ranks = static_cast<std::size_t>(world().size());
    const Range mine = part_of(outputs, ranks, static_cast<std::size_t>(world().rank()));
    const auto plots = make_plots<double>(data, {mine, &world()}, order);
    constexpr std::size_t batch = 7;
    for (std::uint64_t first = 0; first < samples; first += batch) {
      const std::size_t count = std::min<std::size_t>(batch, samples - first);
      std::vector<double> own;
      std::vector<SoftmaxRow> softmax;
      std::vector<std::uint64_t> numbers;
      for (std::uint64_t s = first; s < first + count; ++s) {
        const std::span<const double> a = std::span(A).subspan(s * outputs, outputs);
        const double max = row_max(a);
        softmax.push_back({max, exp_sum(a, max)});
        own.insert(own.end(), a.begin() + static_cast<std::ptrdiff_t>(mine.begin),
                   a.begin() + static_cast<std::ptrdiff_t>(mine.end));
        numbers.push_back(s);
      }
      plots->add({own.data(), count, mine.size()},
                 Targets(MatrixView<const double>{rows.data() + first * outputs, count, outputs}),
                 softmax, numbers);
    }
    return Json::parse(world().broadcast(plots->finish(world()).dump(), 0));
  }

  /// The same however the samples lie on the ranks.
  [[nodiscard]] Json plots() const {
    const auto ranks = static_cast<std::size_t>(world().size());
    const auto rank = static_cast<std::size_t>(world().rank());
    const Json even = plots(part_of(samples, ranks, rank));
    EXPECT_EQ(even, plots(rank == 0 ? Range{0, samples} : Range{}));
    EXPECT_EQ(even, plots(rank + 1 == ranks ? Range{0, samples} : Range{}));
    return even;
  }
};

TEST(HeldOutPlots, OfClassesAreThoseOfTheDefinitions) {
  const PlottedExample example(Task::classes, 3);
  const Json plots = example.plots();
  std::vector<std::vector<double>> y;
  for (std::size_t s = 0; s < samples; ++s) {
    double sum = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      sum += std::exp(example.A[3 * s + j]);
    }
    y.emplace_back();
    for (std::size_t j = 0; j < 3; ++j) {
      y.back().push_back(std::exp(example.A[3 * s + j]) / sum);
    }
  }
  ASSERT_EQ(plots["curves"].size(), 3U);
  double macro = 0;
  for (std::size_t c = 0; c < 3; ++c) {
    double better = 0;
    double pairs = 0;
    for (std::size_t s = 0; s < samples; ++s) {
      for (std::size_t t = 0; t < samples; ++t) {
        if (example.labels[s] == static_cast<int>(c) && example.labels[t] != static_cast<int>(c)) {
          pairs += 1;
          better += y[s][c] > y[t][c] ? 1 : 0;
        }
      }
    }
    const Json& curve = plots["curves"][c];
    EXPECT_EQ(curve["name"], "y" + std::to_string(c));
    if (pairs > 0) {
      EXPECT_NEAR(curve["auc"].get<double>(), better / pairs, 0.005);
      macro += curve["auc"].get<double>() / 2;
    } else {
      EXPECT_TRUE(curve["auc"].is_null());
    }
    EXPECT_EQ(curve["points"].back()[0], curve["positives"]);
    EXPECT_EQ(curve["points"].back()[1], curve["negatives"]);
    EXPECT_EQ(curve["positives"].get<std::size_t>() + curve["negatives"].get<std::size_t>(),
              samples);
  }
  EXPECT_NEAR(plots["macro_auc"].get<double>(), macro, 1e-5);  // no s * s is 2 modulo 3

  std::size_t wrong = 0;
  double largest_loss = 0;
  const auto loss_of = [&](std::size_t s) {
    return -std::log(y[s][static_cast<std::size_t>(example.labels[s])]);
  };
  for (std::size_t s = 0; s < samples; ++s) {
    const auto label = static_cast<std::size_t>(example.labels[s]);
    const auto given =
        static_cast<std::size_t>(std::max_element(y[s].begin(), y[s].end()) - y[s].begin());
    if (label != given) {
      ++wrong;
      largest_loss = std::max(largest_loss, loss_of(s));
    }
  }
  const auto sum_of = [](const Json& counts) {
    std::size_t sum = 0;
    for (const Json& count : counts) {
      sum += count.get<std::size_t>();
    }
    return sum;
  };
  EXPECT_EQ(sum_of(plots["scores"]["wrong"]), wrong);
  EXPECT_EQ(sum_of(plots["scores"]["right"]), samples - wrong);
  ASSERT_EQ(plots["worst"].size(), std::min<std::size_t>(wrong, 50));
  EXPECT_NEAR(loss_of(plots["worst"][0]["sample"].get<std::size_t>() - 1), largest_loss, 1e-12);
  EXPECT_NEAR(plots["worst"][0]["true_probability"].get<double>(), std::exp(-largest_loss), 1e-6);
  for (std::size_t i = 1; i < plots["worst"].size(); ++i) {
    EXPECT_GE(plots["worst"][i]["true_probability"], plots["worst"][i - 1]["true_probability"]);
  }
}

TEST(HeldOutPlots, OfTwoClassesAreTheSecondOnes) {
  const Json plots = PlottedExample(Task::classes, 2).plots();
  ASSERT_EQ(plots["curves"].size(), 1U);
  EXPECT_EQ(plots["curves"][0]["name"], "y1");
  EXPECT_FALSE(plots.contains("macro_auc"));
}

TEST(HeldOutPlots, OfMoreThanAHundredClassesHaveNoCurves) {
  const Json plots = PlottedExample(Task::classes, 101).plots();
  EXPECT_FALSE(plots.contains("curves"));
  EXPECT_EQ(plots["worst"].size(), 50U);
}

TEST(HeldOutPlots, OfLabelsAreOneCurveALabel) {
  const PlottedExample example(Task::labels, 4);
  const Json plots = example.plots();
  ASSERT_EQ(plots["curves"].size(), 4U);
  for (std::size_t j = 0; j < 4; ++j) {
    std::size_t positives = 0;
    for (std::size_t s = 0; s < samples; ++s) {
      positives += example.rows[4 * s + j] > 0 ? 1 : 0;
    }
    EXPECT_EQ(plots["curves"][j]["positives"], positives);
  }
  ASSERT_EQ(plots["worst"].size(), 50U);
  for (const Json& one : plots["worst"]) {
    EXPECT_EQ(one["has_label"].get<bool>(), one["probability"].get<double>() < 0.5);
  }
}

TEST(HeldOutPlots, OfLabelsCountWhatBecameOfEach) {
  PlottedExample example(Task::labels, 3);
  example.data.label_thresholds = {0.5, 0.2, 0.9};
  const Json labels = example.plots()["labels"];
  ASSERT_EQ(labels.size(), 3U);
  for (std::size_t j = 0; j < 3; ++j) {
    std::size_t positives = 0;
    std::size_t given = 0;
    std::size_t right = 0;
    for (std::size_t s = 0; s < samples; ++s) {
      const bool has = example.rows[3 * s + j] > 0;
      const bool gets =
          1 / (1 + std::exp(-example.A[3 * s + j])) >= example.data.label_thresholds[j];
      positives += has ? 1 : 0;
      given += gets ? 1 : 0;
      right += has && gets ? 1 : 0;
    }
    EXPECT_EQ(labels[j], Json({{"name", "y" + std::to_string(j)},
                               {"threshold", example.data.label_thresholds[j]},
                               {"positives", positives},
                               {"given", given},
                               {"right", right}}));
  }
}

TEST(HeldOutPlots, OfMoreThanAThousandLabelsShowThoseWithTheMostErrors) {
  LabelCounts counts(1500);
  if (world().is_root()) {
    for (std::size_t label = 0; label < 1500; label += 2) {
      counts.add(label, true, false);  // wrong
    }
    counts.add(1, true, true);
  }
  std::vector<std::string> names;
  for (std::size_t label = 0; label < 1500; ++label) {
    names.push_back(std::to_string(label));
  }
  const Json labels = counts.finish(world(), names, {});
  ASSERT_EQ(labels.size(), 1000U);  // the 750 that are wrong, and the first 250 of the others
  EXPECT_EQ(
      labels[1],
      Json({{"name", "1"}, {"threshold", 0.5}, {"positives", 1}, {"given", 1}, {"right", 1}}));
  EXPECT_EQ(labels[499]["name"], "499");
  EXPECT_EQ(labels[500]["name"], "500");
  EXPECT_EQ(labels[501]["name"], "502");
  EXPECT_EQ(labels.back()["name"], "1498");
}

TEST(HeldOutPlots, OfDistributionsAreThoseOfTheDefinitions) {
  constexpr std::size_t outputs = 8;
  const PlottedExample example(Task::distribution, outputs);
  const Json plots = example.plots();
  EXPECT_EQ(plots, example.split_plots());
  std::vector<double> errors(outputs);
  std::vector<double> truths(outputs);
  std::vector<double> predictions(outputs);
  std::vector<double> losses(outputs);
  std::vector<double> divergences(outputs);
  std::vector<double> of_samples;
  for (std::size_t s = 0; s < samples; ++s) {
    double sum = 0;
    for (std::size_t j = 0; j < outputs; ++j) {
      sum += std::exp(example.A[outputs * s + j]);
    }
    of_samples.push_back(0);
    for (std::size_t j = 0; j < outputs; ++j) {
      const double y = std::exp(example.A[outputs * s + j]) / sum;
      const double share = example.rows[outputs * s + j];
      const double divergence = share > 0 ? share * std::log(share / y) : 0;
      truths[j] += share / samples;
      predictions[j] += y / samples;
      errors[j] += std::abs(y - share) / samples;
      losses[j] -= share * std::log(y) / samples;
      divergences[j] += divergence / samples;
      of_samples.back() += divergence;
    }
  }
  ASSERT_EQ(plots["outputs"].size(), outputs);
  double misplaced = 0;
  double loss = 0;
  double divergence = 0;
  for (std::size_t j = 0; j < outputs; ++j) {
    const Json& output = plots["outputs"][j];
    EXPECT_EQ(output["name"], "y" + std::to_string(j));
    EXPECT_NEAR(output["true"].get<double>(), truths[j], 1e-6);
    EXPECT_NEAR(output["predicted"].get<double>(), predictions[j], 1e-6);
    EXPECT_NEAR(output["error"].get<double>(), errors[j], 1e-6);
    EXPECT_NEAR(output["cross_entropy"].get<double>(), losses[j], 1e-6);
    EXPECT_NEAR(output["divergence"].get<double>(), divergences[j], 1e-6);
    misplaced += errors[j] / 2;
    loss += losses[j];
    divergence += divergences[j];
  }
  const Json& whole = plots["distribution"];
  EXPECT_EQ(whole["outputs"], outputs);
  EXPECT_NEAR(whole["misplaced"].get<double>(), misplaced, 1e-5);
  EXPECT_NEAR(whole["cross_entropy"].get<double>(), loss, 1e-5);
  EXPECT_NEAR(whole["divergence"].get<double>(), divergence, 1e-5);
  EXPECT_NEAR(whole["entropy"].get<double>(), loss - divergence, 1e-5);
  ASSERT_EQ(plots["shares"].size(), 6U);
  EXPECT_EQ(plots["shares"][5]["points"].size(), samples);
  ASSERT_EQ(plots["worst"].size(), 50U);
  EXPECT_NEAR(plots["worst"][0]["divergence"].get<double>(),
              *std::max_element(of_samples.begin(), of_samples.end()), 1e-5);
  for (std::size_t i = 0; i < 50; ++i) {
    const Json& one = plots["worst"][i];
    const std::size_t s = one["sample"].get<std::size_t>() - 1;
    EXPECT_NEAR(one["divergence"].get<double>(), of_samples[s], 1e-5);
    EXPECT_TRUE(i == 0 || one["divergence"] <= plots["worst"][i - 1]["divergence"]);
    const double apart = std::abs(one["true"].get<double>() - one["predicted"].get<double>());
    double sum = 0;
    for (std::size_t j = 0; j < outputs; ++j) {
      sum += std::exp(example.A[outputs * s + j]);
    }
    for (std::size_t j = 0; j < outputs; ++j) {
      const double other =
          std::abs(std::exp(example.A[outputs * s + j]) / sum - example.rows[outputs * s + j]);
      EXPECT_LE(other, apart + 1e-5) << i << ' ' << j;
    }
  }
}

TEST(HeldOutPlots, OfLabelsAndNumbersAreTheSameWhereOutputsAreSplit) {
  for (const Task task : {Task::labels, Task::numbers}) {
    const PlottedExample example(task, 5);
    EXPECT_EQ(example.plots(), example.split_plots());
  }
}

TEST(HeldOutPlots, OfNumbersAreInTheTargetsUnit) {
  PlottedExample example(Task::numbers, 2);
  example.data.target_scale = {{100, -3}, {0.01, 4}};  // deviations of 100 and 1/4
  const Json plots = example.plots();
  ASSERT_EQ(plots["numbers"].size(), 2U);
  for (const std::size_t j : {std::size_t{0}, std::size_t{1}}) {
    const Json& target = plots["numbers"][j];
    EXPECT_EQ(target["points"].size(), samples);
    std::uint64_t counted = target["residuals"]["below"].get<std::uint64_t>() +
                            target["residuals"]["above"].get<std::uint64_t>();
    double sum = 0;
    const double width = target["residuals"]["width"].get<double>();
    double middle = target["residuals"]["first"].get<double>() + width / 2;
    for (const Json& count : target["residuals"]["counts"]) {
      counted += count.get<std::uint64_t>();
      sum += middle * static_cast<double>(count.get<std::uint64_t>());
      middle += width;
    }
    EXPECT_EQ(counted, samples);
    double mean = 0;
    for (const Json& point : target["points"]) {
      mean += (point[1].get<double>() - point[0].get<double>()) / samples;
    }
    EXPECT_NEAR(sum / samples, mean, width);
  }
  double largest = 0;
  for (std::size_t i = 0; i < example.A.size(); ++i) {
    largest = std::max(largest, std::abs(example.A[i] - example.rows[i]));
  }
  ASSERT_EQ(plots["worst"].size(), 50U);
  EXPECT_NEAR(plots["worst"][0]["deviations"].get<double>(), largest, 1e-5);
}

}  // namespace
}  // namespace dnn
