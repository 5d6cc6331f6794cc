#include "dnn/plots/held_out_plots.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "dnn/nn/output_loss.hpp"
#include "dnn/parallel/top_classes.hpp"
#include "dnn/plots/calibration.hpp"
#include "dnn/plots/ranked_samples.hpp"
#include "dnn/plots/residual_histogram.hpp"
#include "dnn/plots/score_histogram.hpp"

namespace dnn {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t most_curves = 100;
constexpr std::size_t most_curve_points = 150;
constexpr std::size_t score_bars = 50;
constexpr std::size_t most_wrong = 50;
constexpr std::size_t most_targets = 6;
constexpr std::size_t most_points = 2000;
constexpr std::size_t most_residual_bars = 60;

/// A number of 6 digits: a page has room for no more.
double rounded(double value) {
  return std::isfinite(value) ? std::strtod(fmt::format("{:.6g}", value).c_str(), nullptr) : value;
}

/// A histogram for each output that a rank has, of up to 100 outputs.
class OutputCurves {
 public:
  /// With `second_only`, of the second output alone.
  OutputCurves(const std::vector<std::string>& names, Range held, bool second_only)
      : names_(names),
        held_(held),
        first_(second_only ? 1 : 0),
        histograms_(names.size() <= most_curves ? names.size() - first_ : 0) {}

  [[nodiscard]] bool takes_scores() const { return !histograms_.empty(); }

  /// `column`: of those held.
  void add(std::size_t column, double score, bool is_positive) {
    if (held_.begin + column >= first_) {
      histograms_[held_.begin + column - first_].add(score, is_positive);
    }
  }

  /// Collective: adds what is drawn to `json`.
  void finish(const Communicator& world, Json& json) const {
    if (histograms_.empty()) {
      return;
    }
    std::vector<ScoreHistogram> all = histograms_;
    Json curves = Json::array();
    double sum = 0;
    std::size_t areas = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
      world.all_reduce(all[i].counts(), Reduction::sum);
      const std::vector<ScoreHistogram::Point> curve = all[i].curve();
      Json points = Json::array();
      for (const auto& point : thinned_curve(curve, most_curve_points)) {
        points.push_back({point.positives, point.negatives});
      }
      const double area = all[i].area();
      if (!std::isnan(area)) {
        sum += area;
        ++areas;
      }
      curves.push_back({{"name", names_[i + first_]},
                        {"positives", curve.back().positives},
                        {"negatives", curve.back().negatives},
                        {"auc", rounded(area)},
                        {"average_precision", rounded(all[i].average_precision())},
                        {"points", std::move(points)}});
    }
    json["score_bins"] = ScoreHistogram::bins;
    json["curves"] = std::move(curves);
    if (all.size() > 1 && areas > 0) {
      json["macro_auc"] = rounded(sum / static_cast<double>(areas));
    }
  }

 private:
  const std::vector<std::string>& names_;
  Range held_;
  std::size_t first_;
  std::vector<ScoreHistogram> histograms_;
};

/// Probabilities and what came of them: calibration and histogram.
class Probabilities {
 public:
  void add(double probability, bool is_right) {
    if (!(probability >= 0 && probability <= 1)) {
      return;
    }
    calibration_.add(probability, is_right);
    const auto bar = static_cast<std::size_t>(probability * static_cast<double>(score_bars));
    ++bars_[2 * std::min(bar, score_bars - 1) + (is_right ? 0 : 1)];
  }

  /// Collective: adds what is drawn to `json`.
  void finish(const Communicator& world, Json& json) const {
    const std::vector<Calibration::Bin> totals = calibration_.totals(world);
    Json bins = Json::array();
    for (const Calibration::Bin& bin : totals) {
      const auto count = static_cast<double>(std::max<std::uint64_t>(bin.count, 1));
      bins.push_back({bin.count, bin.right, rounded(bin.probability / count)});
    }
    auto bars = bars_;
    world.all_reduce(std::span<std::uint64_t>(bars), Reduction::sum);
    Json right = Json::array();
    Json wrong = Json::array();
    for (std::size_t bar = 0; bar < score_bars; ++bar) {
      right.push_back(bars[2 * bar]);
      wrong.push_back(bars[2 * bar + 1]);
    }
    json["calibration"] = {{"error", rounded(calibration_error(totals))},
                           {"bins", std::move(bins)}};
    json["scores"] = {{"right", std::move(right)}, {"wrong", std::move(wrong)}};
  }

 private:
  Calibration calibration_;
  std::array<std::uint64_t, 2 * score_bars> bars_{};
};

template <class T>
class ClassPlots final : public HeldOutPlots<T> {
 public:
  ClassPlots(const Dataset& outputs, const HeldOutputs& held)
      : names_(outputs.class_names),
        held_(held),
        counts_(held.group == nullptr || held.group->is_root()),
        curves_(names_, held.columns, names_.size() == 2),
        worst_(most_wrong) {}

  void add(MatrixView<const T> A, const Targets& targets, std::span<const SoftmaxRow> rows,
           std::span<const std::uint64_t> samples) override {
    std::vector<std::int32_t> first(A.rows);
    top_classes(held_.group, held_.columns, A, 1, std::span(first));
    for (std::size_t s = 0; s < A.rows; ++s) {
      const std::int32_t label = targets.classes[s];
      const double confidence = rows[s].confidence();
      if (counts_) {
        probabilities_.add(confidence, first[s] == label);
      }
      for (std::size_t j = 0; j < A.cols && curves_.takes_scores(); ++j) {
        const double score = log_odds(rows[s].log_probability(static_cast<double>(A(s, j))));
        curves_.add(j, score, held_.columns.begin + j == static_cast<std::size_t>(label));
      }
      const auto own = static_cast<std::size_t>(label);
      if (first[s] != label && own >= held_.columns.begin && own < held_.columns.end) {
        const double log_p =
            rows[s].log_probability(static_cast<double>(A(s, own - held_.columns.begin)));
        worst_.add({-log_p,
                    samples[s],
                    own,
                    {static_cast<double>(first[s]), std::exp(log_p), confidence}});
      }
    }
  }

  Json finish(const Communicator& world) const override {
    Json json = Json::object();
    curves_.finish(world, json);
    probabilities_.finish(world, json);
    Json worst = Json::array();
    for (const RankedSample& one : worst_.gather(world)) {
      worst.push_back({{"sample", one.sample + 1},
                       {"true", names_[one.output]},
                       {"predicted", names_[static_cast<std::size_t>(one.values[0])]},
                       {"true_probability", rounded(one.values[1])},
                       {"predicted_probability", rounded(one.values[2])}});
    }
    json["worst"] = std::move(worst);
    return json;
  }

 private:
  const std::vector<std::string>& names_;
  HeldOutputs held_;
  bool counts_;  ///< this rank counts the samples of its model group
  OutputCurves curves_;
  Probabilities probabilities_;
  RankedSamples worst_;
};

template <class T>
class LabelPlots final : public HeldOutPlots<T> {
 public:
  LabelPlots(const Dataset& outputs, const HeldOutputs& held)
      : names_(outputs.class_names),
        thresholds_(outputs.label_thresholds),
        held_(held),
        curves_(names_, held.columns, false),
        worst_(most_wrong) {}

  void add(MatrixView<const T> A, const Targets& targets, std::span<const SoftmaxRow> /*rows*/,
           std::span<const std::uint64_t> samples) override {
    for (std::size_t s = 0; s < A.rows; ++s) {
      for (std::size_t j = 0; j < A.cols; ++j) {
        const auto a = static_cast<double>(A(s, j));
        const std::size_t label = held_.columns.begin + j;
        const bool has_label = targets.rows(s, label) >= 0.5;
        const double probability = 1 / (1 + std::exp(-a));
        if (curves_.takes_scores()) {
          curves_.add(j, a, has_label);
        }
        probabilities_.add(probability, has_label);
        if (is_given(a, thresholds_.empty() ? 0.5 : thresholds_[label]) != has_label) {
          const double rank = has_label ? -a : a;  // grows with the loss
          worst_.add({rank, samples[s], label, {has_label ? 1.0 : 0.0, probability, 0}});
        }
      }
    }
  }

  Json finish(const Communicator& world) const override {
    Json json = Json::object();
    curves_.finish(world, json);
    probabilities_.finish(world, json);
    Json worst = Json::array();
    for (const RankedSample& one : worst_.gather(world)) {
      worst.push_back({{"sample", one.sample + 1},
                       {"label", names_[one.output]},
                       {"has_label", one.values[0] > 0},
                       {"probability", rounded(one.values[1])}});
    }
    json["worst"] = std::move(worst);
    return json;
  }

 private:
  const std::vector<std::string>& names_;
  const std::vector<double>& thresholds_;
  HeldOutputs held_;
  OutputCurves curves_;
  Probabilities probabilities_;
  RankedSamples worst_;
};

/// Sums are of scaled numbers, which become the target's unit at the end.
template <class T>
class NumberPlots final : public HeldOutPlots<T> {
 public:
  NumberPlots(const Dataset& outputs, const HeldOutputs& held, const Permutation& order)
      : names_(outputs.class_names),
        scale_(outputs.target_scale),
        held_(held),
        order_(order),
        residuals_(std::min(names_.size(), most_targets)),
        points_(residuals_.size(), RankedSamples(most_points / residuals_.size())),
        worst_(most_wrong) {}

  void add(MatrixView<const T> A, const Targets& targets, std::span<const SoftmaxRow> /*rows*/,
           std::span<const std::uint64_t> samples) override {
    for (std::size_t s = 0; s < A.rows; ++s) {
      for (std::size_t j = 0; j < A.cols; ++j) {
        const std::size_t target = held_.columns.begin + j;
        const auto predicted = static_cast<double>(A(s, j));
        const double truth = targets.rows(s, target);
        const double error = predicted - truth;
        worst_.add({std::abs(error), samples[s], target, {truth, predicted, 0}});
        if (target < residuals_.size()) {
          residuals_[target].add(error);
          const auto place = static_cast<double>(order_.position_of(samples[s]));
          points_[target].add({-place, samples[s], target, {truth, predicted, 0}});
        }
      }
    }
  }

  Json finish(const Communicator& world) const override {
    Json numbers = Json::array();
    for (std::size_t target = 0; target < residuals_.size(); ++target) {
      Json points = Json::array();
      for (const RankedSample& one : points_[target].gather(world)) {
        points.push_back(
            {rounded(in_unit(one.values[0], target)), rounded(in_unit(one.values[1], target))});
      }
      ResidualHistogram all = residuals_[target];
      all.combine(world);
      const ResidualHistogram::Shown shown = all.shown(most_residual_bars);
      const double unit = scale_.is_identity() ? 1 : 1 / scale_.scale[target];
      numbers.push_back({{"name", names_[target]},
                         {"points", std::move(points)},
                         {"residuals",
                          {{"first", rounded(shown.first * unit)},
                           {"width", rounded(shown.width * unit)},
                           {"counts", shown.counts},
                           {"below", shown.below},
                           {"above", shown.above}}}});
    }
    Json worst = Json::array();
    for (const RankedSample& one : worst_.gather(world)) {
      worst.push_back({{"sample", one.sample + 1},
                       {"target", names_[one.output]},
                       {"true", rounded(in_unit(one.values[0], one.output))},
                       {"predicted", rounded(in_unit(one.values[1], one.output))},
                       {"deviations", rounded(one.rank)}});
    }
    return {{"numbers", std::move(numbers)}, {"worst", std::move(worst)}};
  }

 private:
  [[nodiscard]] double in_unit(double scaled, std::size_t target) const {
    return scale_.is_identity() ? scaled : scaled / scale_.scale[target] + scale_.center[target];
  }

  const std::vector<std::string>& names_;
  Normalizer scale_;
  HeldOutputs held_;
  Permutation order_;
  std::vector<ResidualHistogram> residuals_;  ///< of each target that is plotted
  std::vector<RankedSamples> points_;
  RankedSamples worst_;
};

}  // namespace

template <class T>
std::unique_ptr<HeldOutPlots<T>> make_plots(const Dataset& outputs, const HeldOutputs& held,
                                            const Permutation& order) {
  switch (outputs.task) {
    case Task::classes:
      return std::make_unique<ClassPlots<T>>(outputs, held);
    case Task::labels:
      return std::make_unique<LabelPlots<T>>(outputs, held);
    case Task::numbers:
      return std::make_unique<NumberPlots<T>>(outputs, held, order);
    default:
      return nullptr;
  }
}

template std::unique_ptr<HeldOutPlots<float>> make_plots(const Dataset&, const HeldOutputs&,
                                                         const Permutation&);
template std::unique_ptr<HeldOutPlots<double>> make_plots(const Dataset&, const HeldOutputs&,
                                                          const Permutation&);

}  // namespace dnn
