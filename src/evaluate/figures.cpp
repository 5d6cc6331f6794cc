#include "dnn/evaluate/figures.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>

#include "dnn/core/exact_sum.hpp"
#include "dnn/evaluate/class_figures.hpp"
#include "dnn/nn/output_loss.hpp"
#include "dnn/parallel/exact_totals.hpp"

namespace dnn {

namespace {

/// Sums are of scaled numbers, whose deviations go back to the target's unit at the end.
template <class T>
class NumberFigures final : public FigureSums<T> {
 public:
  NumberFigures(const Dataset& data, Range columns)
      : names_(data.class_names),
        scale_(data.target_scale.scale),
        shift_(names_.size(), 0.0),
        columns_(columns),
        sums_(per_target * names_.size()),
        least_(names_.size(), std::numeric_limits<double>::infinity()),
        most_(names_.size(), -std::numeric_limits<double>::infinity()) {
    // Squares of numbers far from 0 would leave nothing of their spread.
    if (scale_.empty() && data.has_labels()) {
      std::size_t sample = 0;
      while (sample + 1 < data.samples && !data.counts(sample)) {
        ++sample;
      }
      const auto targets = data.target_rows.template as<double>();
      std::copy_n(targets.begin() + static_cast<std::ptrdiff_t>(sample * shift_.size()),
                  shift_.size(), shift_.begin());
    }
  }

  void add(MatrixView<const T> A, const Targets& targets,
           std::span<const SoftmaxRow> /*rows*/) override {
    for (std::size_t s = 0; s < A.rows; ++s) {
      const double weight = targets.weight(s);
      for (std::size_t j = 0; j < A.cols; ++j) {
        const double target = targets.row_target(s, columns_.begin + j);
        const double error = static_cast<double>(A(s, j)) - target;
        ExactSum* const sums = &sums_[per_target * (columns_.begin + j)];
        sums[0] += weight;
        sums[1] += weight * error * error;
        sums[2] += weight * std::abs(error);
        const double away = target - shift_[columns_.begin + j];
        sums[3] += weight * away;
        sums[4] += weight * away * away;
        if (weight > 0) {
          least_[columns_.begin + j] = std::min(least_[columns_.begin + j], target);
          most_[columns_.begin + j] = std::max(most_[columns_.begin + j], target);
        }
      }
    }
  }

  std::vector<Figure> finish(const Communicator& world) const override {
    const std::vector<double> all = exact_totals(world, sums_);
    std::vector<double> least = least_;
    std::vector<double> most = most_;
    world.all_reduce(std::span(least), Reduction::min);
    world.all_reduce(std::span(most), Reduction::max);
    const bool one = names_.size() == 1;
    std::vector<Figure> figures = {{"r2", 0}};
    for (std::size_t j = 0; j < names_.size(); ++j) {
      const double* const sums = &all[per_target * j];
      const double unit = scale_.empty() ? 1 : 1 / scale_[j];
      // Of equal targets it would be what rounding leaves.
      const double spread = least[j] == most[j] ? 0 : sums[4] - sums[3] * sums[3] / sums[0];
      const double r2 = spread > 0 ? 1 - sums[1] / spread : (sums[1] == 0 ? 1 : 0);
      const std::string of = one ? std::string() : "(" + names_[j] + ")";
      if (!one) {
        figures.push_back({"r2" + of, r2});
      }
      figures.push_back({"rmse" + of, unit * std::sqrt(sums[1] / sums[0])});
      figures.push_back({"mae" + of, unit * sums[2] / sums[0]});
      figures.front().value += r2 / static_cast<double>(names_.size());
    }
    return figures;
  }

 private:
  static constexpr std::size_t per_target = 5;  ///< Σ w, w e², w |e|, w (y - c), w (y - c)²

  std::vector<std::string> names_;
  std::vector<double> scale_;
  std::vector<double> shift_;  ///< c of each target
  Range columns_;
  std::vector<ExactSum> sums_;
  std::vector<double> least_;  ///< of each target, over the samples that weigh something
  std::vector<double> most_;
};

template <class T>
class LabelFigures final : public FigureSums<T> {
 public:
  LabelFigures(const Dataset& data, Range columns)
      : labels_(data.classes()),
        thresholds_(data.label_thresholds),
        columns_(columns),
        sums_(per_label * labels_) {
    thresholds_.resize(labels_, 0.5);
  }

  void add(MatrixView<const T> A, const Targets& targets,
           std::span<const SoftmaxRow> /*rows*/) override {
    for (std::size_t s = 0; s < A.rows; ++s) {
      const double weight = targets.weight(s);
      for (std::size_t j = 0; j < A.cols; ++j) {
        const bool given = is_given(A(s, j), thresholds_[columns_.begin + j]);
        const bool right = targets.rows(s, columns_.begin + j) >= 0.5;
        if (given || right) {
          const std::size_t which = given && right ? 0 : given ? 1 : 2;
          sums_[per_label * (columns_.begin + j) + which] += weight;
        }
      }
    }
  }

  std::vector<Figure> finish(const Communicator& world) const override {
    const std::vector<double> all = exact_totals(world, sums_);
    double whole[per_label] = {};
    double macro = 0;
    for (std::size_t label = 0; label < labels_; ++label) {
      macro += f1(&all[per_label * label]) / static_cast<double>(labels_);
    }
    for (std::size_t i = 0; i < all.size(); ++i) {
      whole[i % per_label] += all[i];
    }
    return {{"f1_micro", f1(whole)}, {"f1_macro", macro}};
  }

 private:
  static constexpr std::size_t per_label = 3;  ///< Σ w of true and false positives, false negatives

  /// 0 for a label that is neither given nor right anywhere, as scikit-learn has it.
  static double f1(const double* sums) {
    const double all = 2 * sums[0] + sums[1] + sums[2];
    return all > 0 ? 2 * sums[0] / all : 0;
  }

  std::size_t labels_;
  std::vector<double> thresholds_;
  Range columns_;
  std::vector<ExactSum> sums_;
};

}  // namespace

template <class T>
std::unique_ptr<FigureSums<T>> make_figures(const Dataset& data, const HeldOutputs& held,
                                            bool thorough) {
  switch (data.task) {
    case Task::numbers:
      return std::make_unique<NumberFigures<T>>(data, held.columns);
    case Task::labels:
      return std::make_unique<LabelFigures<T>>(data, held.columns);
    case Task::classes:
      return std::make_unique<ClassFigures<T>>(data.classes(), held, thorough);
    default:
      return nullptr;
  }
}

template std::unique_ptr<FigureSums<float>> make_figures(const Dataset&, const HeldOutputs&, bool);
template std::unique_ptr<FigureSums<double>> make_figures(const Dataset&, const HeldOutputs&, bool);

}  // namespace dnn
