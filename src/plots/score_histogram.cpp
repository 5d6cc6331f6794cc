#include "dnn/plots/score_histogram.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace dnn {

namespace {

constexpr double largest_score = 25;
constexpr double none = std::numeric_limits<double>::quiet_NaN();

double part(std::uint64_t count, std::uint64_t all) {
  return static_cast<double>(count) / static_cast<double>(std::max<std::uint64_t>(all, 1));
}

/// The points at which one of the rates has changed by more than `step` since the last one.
std::vector<ScoreHistogram::Point> points_apart(const std::vector<ScoreHistogram::Point>& curve,
                                                double step) {
  const ScoreHistogram::Point all = curve.back();
  const auto rates = [&all](const ScoreHistogram::Point& point) {
    return std::array<double, 3>{part(point.positives, all.positives),
                                 part(point.negatives, all.negatives),
                                 part(point.positives, point.positives + point.negatives)};
  };
  std::vector<ScoreHistogram::Point> kept = {curve.front()};
  for (std::size_t i = 1; i < curve.size(); ++i) {
    const auto now = rates(curve[i]);
    const auto last = rates(kept.back());
    double change = 0;
    for (std::size_t k = 0; k < now.size(); ++k) {
      change = std::max(change, std::abs(now[k] - last[k]));
    }
    if (change > step || i + 1 == curve.size()) {
      kept.push_back(curve[i]);
    }
  }
  return kept;
}

}  // namespace

double log_odds(double log_probability) {
  return log_probability - std::log(-std::expm1(log_probability));
}

void ScoreHistogram::add(double score, bool is_positive) {
  if (std::isnan(score)) {
    return;
  }
  constexpr double bins_per_unit = static_cast<double>(bins) / (2 * largest_score);
  const double place = std::clamp((score + largest_score) * bins_per_unit, 0.0, bins - 1.0);
  ++counts_[2 * static_cast<std::size_t>(place) + (is_positive ? 0 : 1)];
}

std::vector<ScoreHistogram::Point> ScoreHistogram::curve() const {
  std::vector<Point> points = {{}};
  for (std::size_t bin = bins; bin-- > 0;) {
    if (counts_[2 * bin] + counts_[2 * bin + 1] > 0) {
      points.push_back({points.back().positives + counts_[2 * bin],
                        points.back().negatives + counts_[2 * bin + 1]});
    }
  }
  return points;
}

double ScoreHistogram::area() const {
  const std::vector<Point> points = curve();
  const Point& all = points.back();
  if (all.positives == 0 || all.negatives == 0) {
    return none;
  }
  double area = 0;  // of trapezoids: equal scores count as half
  for (std::size_t i = 1; i < points.size(); ++i) {
    area +=
        part(points[i].negatives - points[i - 1].negatives, all.negatives) *
        (part(points[i].positives, all.positives) + part(points[i - 1].positives, all.positives)) /
        2;
  }
  return area;
}

double ScoreHistogram::average_precision() const {
  const std::vector<Point> points = curve();
  const Point& all = points.back();
  if (all.positives == 0) {
    return none;
  }
  double sum = 0;
  for (std::size_t i = 1; i < points.size(); ++i) {
    sum += part(points[i].positives - points[i - 1].positives, all.positives) *
           part(points[i].positives, points[i].positives + points[i].negatives);
  }
  return sum;
}

std::vector<ScoreHistogram::Point> thinned_curve(const std::vector<ScoreHistogram::Point>& curve,
                                                 std::size_t most) {
  std::vector<ScoreHistogram::Point> kept = curve;
  for (double step = 0.004; kept.size() > most && step < 1; step *= 1.5) {
    kept = points_apart(curve, step);
  }
  return kept;
}

}  // namespace dnn
