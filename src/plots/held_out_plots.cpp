#include "dnn/plots/held_out_plots.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "dnn/core/page_number.hpp"
#include "dnn/nn/output_loss.hpp"
#include "dnn/parallel/top_classes.hpp"
#include "dnn/plots/calibration.hpp"
#include "dnn/plots/distribution_plots.hpp"
#include "dnn/plots/label_counts.hpp"
#include "dnn/plots/number_plots.hpp"
#include "dnn/plots/ranked_samples.hpp"
#include "dnn/plots/score_histogram.hpp"

namespace dnn {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t most_curves = 100;
constexpr std::size_t most_curve_points = 150;
constexpr std::size_t score_bars = 50;

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
                        {"auc", page_number(area)},
                        {"average_precision", page_number(all[i].average_precision())},
                        {"points", std::move(points)}});
    }
    json["score_bins"] = ScoreHistogram::bins;
    json["curves"] = std::move(curves);
    if (all.size() > 1 && areas > 0) {
      json["macro_auc"] = page_number(sum / static_cast<double>(areas));
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
      bins.push_back({bin.count, bin.right, page_number(bin.probability / count)});
    }
    auto bars = bars_;
    world.all_reduce(std::span<std::uint64_t>(bars), Reduction::sum);
    Json right = Json::array();
    Json wrong = Json::array();
    for (std::size_t bar = 0; bar < score_bars; ++bar) {
      right.push_back(bars[2 * bar]);
      wrong.push_back(bars[2 * bar + 1]);
    }
    json["calibration"] = {{"error", page_number(calibration_error(totals))},
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
        worst_(most_wrong_samples) {}

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
                       {"true_probability", page_number(one.values[1])},
                       {"predicted_probability", page_number(one.values[2])}});
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
        counts_(names_.size()),
        worst_(most_wrong_samples) {}

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
        const bool given = is_given(a, thresholds_.empty() ? 0.5 : thresholds_[label]);
        counts_.add(label, given, has_label);
        if (given != has_label) {
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
                       {"probability", page_number(one.values[1])}});
    }
    json["labels"] = counts_.finish(world, names_, thresholds_);
    json["worst"] = std::move(worst);
    return json;
  }

 private:
  const std::vector<std::string>& names_;
  const std::vector<double>& thresholds_;
  HeldOutputs held_;
  OutputCurves curves_;
  Probabilities probabilities_;
  LabelCounts counts_;
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
    case Task::distribution:
      return std::make_unique<DistributionPlots<T>>(outputs, held, order);
    case Task::automatic:
      break;
  }
  throw std::logic_error("make_plots: a data set's task is known");
}

template std::unique_ptr<HeldOutPlots<float>> make_plots(const Dataset&, const HeldOutputs&,
                                                         const Permutation&);
template std::unique_ptr<HeldOutPlots<double>> make_plots(const Dataset&, const HeldOutputs&,
                                                          const Permutation&);

}  // namespace dnn
