#include "dnn/evaluate/class_figures.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <utility>

#include "dnn/evaluate/evaluator.hpp"
#include "dnn/parallel/top_classes.hpp"

namespace dnn {

namespace {

constexpr std::size_t most_curves = 100;
constexpr std::uint64_t most_scores = std::uint64_t{1} << 22;

}  // namespace

template <class T>
ClassFigures<T>::ClassFigures(std::size_t classes, const HeldOutputs& held, bool thorough)
    : classes_(classes),
      held_(held),
      thorough_(thorough),
      counts_(held.group == nullptr || held.group->is_root()),
      actual_(classes),
      predicted_(classes),
      right_(classes) {}

template <class T>
void ClassFigures<T>::add(MatrixView<const T> A, const Targets& targets,
                          std::span<const SoftmaxRow> rows) {
  std::vector<std::int32_t> first(A.rows);
  if (held_.group != nullptr) {
    top_classes(held_.group, held_.columns, A, 1, std::span(first));
  } else {
    for (std::size_t s = 0; s < A.rows; ++s) {
      first[s] = predicted_class<T>(A.row(s));
    }
  }
  for (std::size_t s = 0; s < A.rows && counts_; ++s) {
    const auto label = static_cast<std::size_t>(targets.classes[s]);
    const auto given = static_cast<std::size_t>(first[s]);
    ++actual_[label];
    ++predicted_[given];
    right_[label] += label == given ? 1 : 0;
    calibration_.add(rows[s].confidence(), label == given);
  }
  samples_ += counts_ ? A.rows : 0;
  if (takes_scores()) {
    add_scores(A, targets, rows);
  }
}

/// As long as this rank's samples alone are not too many.
template <class T>
bool ClassFigures<T>::takes_scores() const {
  return thorough_ && classes_ <= most_curves && labels_.size() * classes_ <= most_scores;
}

template <class T>
void ClassFigures<T>::add_scores(MatrixView<const T> A, const Targets& targets,
                                 std::span<const SoftmaxRow> rows) {
  for (std::size_t s = 0; s < A.rows; ++s) {
    labels_.push_back(targets.classes[s]);
    for (std::size_t j = 0; j < A.cols; ++j) {
      scores_.push_back(rows[s].log_probability(static_cast<double>(A(s, j))));
    }
  }
}

template <class T>
std::vector<Figure> ClassFigures<T>::finish(const Communicator& world) const {
  std::vector<std::uint64_t> actual = actual_;
  std::vector<std::uint64_t> predicted = predicted_;
  std::vector<std::uint64_t> right = right_;
  for (auto* counts : {&actual, &predicted, &right}) {
    world.all_reduce(std::span(*counts), Reduction::sum);
  }
  double recall = 0;
  double f1 = 0;
  std::size_t occurring = 0;
  std::size_t either = 0;
  for (std::size_t c = 0; c < classes_; ++c) {
    const auto hits = static_cast<double>(right[c]);
    if (actual[c] > 0) {
      ++occurring;
      recall += hits / static_cast<double>(actual[c]);
    }
    if (actual[c] + predicted[c] > 0) {
      ++either;
      f1 += 2 * hits / static_cast<double>(actual[c] + predicted[c]);
    }
  }
  std::vector<Figure> figures = {
      {"balanced_accuracy", recall / static_cast<double>(std::max<std::size_t>(occurring, 1))},
      {"f1_macro", f1 / static_cast<double>(std::max<std::size_t>(either, 1))},
      {"ece", calibration_error(calibration_.totals(world))}};
  const std::uint64_t samples = world.all_reduce(samples_, Reduction::sum);
  if (thorough_ && classes_ <= most_curves && samples * classes_ <= most_scores) {
    if (const double area = area_under_curve(world); !std::isnan(area)) {
      figures.push_back({"auc", area});
    }
  }
  return figures;
}

/// Rank 0 gathers the scores of one class after another.
template <class T>
double ClassFigures<T>::area_under_curve(const Communicator& world) const {
  double sum = 0;
  std::size_t curves = 0;
  for (std::size_t c = classes_ == 2 ? 1 : 0; c < classes_; ++c) {
    std::string own;
    if (c >= held_.columns.begin && c < held_.columns.end) {
      const std::size_t width = held_.columns.size();
      for (std::size_t s = 0; s < labels_.size(); ++s) {
        const double score = scores_[s * width + c - held_.columns.begin];
        const char is_positive = labels_[s] == static_cast<std::int32_t>(c) ? 1 : 0;
        own.append(reinterpret_cast<const char*>(&score), sizeof(score));
        own.push_back(is_positive);
      }
    }
    std::vector<std::pair<double, bool>> scores;
    for (const std::string& part : world.gather(own, 0)) {
      for (std::size_t at = 0; at < part.size(); at += sizeof(double) + 1) {
        double score = 0;
        std::memcpy(&score, part.data() + at, sizeof(score));
        scores.emplace_back(score, part[at + sizeof(score)] != 0);
      }
    }
    const double area = dnn::area_under_curve(scores);
    if (!std::isnan(area)) {
      sum += area;
      ++curves;
    }
  }
  double mean =
      curves > 0 ? sum / static_cast<double>(curves) : std::numeric_limits<double>::quiet_NaN();
  world.broadcast(std::as_writable_bytes(std::span(&mean, 1)), 0);
  return mean;
}

double area_under_curve(std::vector<std::pair<double, bool>>& scores) {
  constexpr double none = std::numeric_limits<double>::quiet_NaN();
  if (std::any_of(scores.begin(), scores.end(),
                  [](const auto& s) { return std::isnan(s.first); })) {
    return none;
  }
  std::sort(scores.begin(), scores.end());
  std::uint64_t positives = 0;
  std::uint64_t negatives = 0;
  std::uint64_t halves = 0;  // of pairs: two where the positive is above, one where they are equal
  for (std::size_t begin = 0; begin < scores.size();) {
    std::uint64_t up = 0;
    std::size_t end = begin;
    for (; end < scores.size() && scores[end].first == scores[begin].first; ++end) {
      up += scores[end].second ? 1 : 0;
    }
    const std::uint64_t down = end - begin - up;
    halves += up * (2 * negatives + down);
    positives += up;
    negatives += down;
    begin = end;
  }
  return positives > 0 && negatives > 0
             ? static_cast<double>(halves) / 2 / static_cast<double>(positives) /
                   static_cast<double>(negatives)
             : none;
}

template class ClassFigures<float>;
template class ClassFigures<double>;

}  // namespace dnn
