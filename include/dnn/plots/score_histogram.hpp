#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace dnn {

/// log p / (1 - p) of a probability whose logarithm is given.
[[nodiscard]] double log_odds(double log_probability);

/// Counts positive and negative samples by their score, from which the curves of a classifier
/// follow: true against false positives (ROC), and precision against recall. Counts of several
/// ranks add up, so the curves are the same however the samples lie on the ranks.
///
/// Note [Bins of log-odds]
/// Scores are the log-odds of probabilities, in 1,000 bins between -25 and 25. Most probabilities
/// of a good classifier lie beside 0 and 1, where bins of probabilities would put them all into
/// one. Scores of one bin count as equal.
class ScoreHistogram {
 public:
  static constexpr std::size_t bins = 1000;

  /// The positives and negatives whose score is in a bin or above it.
  struct Point {
    std::uint64_t positives = 0;
    std::uint64_t negatives = 0;

    bool operator==(const Point&) const = default;
  };

  /// Adds a sample. One whose score is NaN is left out.
  void add(double score, bool is_positive);

  /// The counts of all bins; to be summed over ranks, element by element.
  [[nodiscard]] std::span<std::uint64_t> counts() { return counts_; }

  /// The points of the curves, from the highest score down: (0, 0), then one for each bin that has
  /// samples.
  [[nodiscard]] std::vector<Point> curve() const;

  /// The area under the curve of true and false positives; NaN without positives or negatives.
  [[nodiscard]] double area() const;

  /// The mean precision over the positives (the sum over the bins of precision x gain in recall);
  /// NaN without positives.
  [[nodiscard]] double average_precision() const;

 private:
  std::vector<std::uint64_t> counts_ = std::vector<std::uint64_t>(2 * bins);
};

/// At most about `most` points of a curve, the first and the last among them: those where the true
/// or false positive rate, or the precision, has changed most.
[[nodiscard]] std::vector<ScoreHistogram::Point> thinned_curve(
    const std::vector<ScoreHistogram::Point>& curve, std::size_t most);

}  // namespace dnn
