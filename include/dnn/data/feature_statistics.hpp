#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "dnn/data/normalizer.hpp"

namespace dnn {

struct Dataset;

/// Count, mean, sum of squared deviations, minimum and maximum of every feature over a set of
/// samples, in double.
///
/// Note [Statistics at any rank count]
/// Sums of floating-point numbers depend on their order. The training set is therefore cut into
/// chunks whose number depends on the data alone (chunk_count), each chunk is summed by one rank,
/// and every rank merges all chunks in the same order: the same bits at any rank count.
class FeatureStatistics {
 public:
  explicit FeatureStatistics(std::size_t features);

  /// Into how many chunks a set of samples is cut.
  [[nodiscard]] static std::size_t chunk_count(std::size_t samples, std::size_t features);

  /// Adds samples of `data`, given by their indices. Throws InputError for a feature that is NaN or
  /// infinite, with its sample.
  void add(const Dataset& data, std::span<const std::uint64_t> samples);

  /// Adds another set's statistics (Chan, Golub and LeVeque, 1983).
  void merge(const FeatureStatistics& other);

  /// The normalization of this set. Inputs that are not `scaled` (all are, if it is empty) stay as
  /// they are, see FeatureEncoding::scaled_inputs. `names`: of the inputs, for the InputError that
  /// is thrown where one cannot be scaled; may be empty.
  [[nodiscard]] Normalizer normalizer(Normalization kind, const std::vector<bool>& scaled = {},
                                      const std::vector<std::string>& names = {}) const;

  /// Whether all inputs are numbers of one kind, like the brightness of pixels or counts: at least
  /// 16, whole numbers and at least 0 at both ends of their ranges, and of those that vary three in
  /// four begin in the lowest quarter of the common range, and half reach its upper half. Such
  /// inputs are scaled in common.
  [[nodiscard]] bool are_of_one_kind() const;

  /// The mean of an input.
  [[nodiscard]] double mean(std::size_t input) const;

  /// The same for samples that stay sparse rows.
  ///
  /// Note [Zeros stay zeros]
  /// What is subtracted from a feature would have to be subtracted from its zeros, too, and nothing
  /// would be sparse any more. So a feature is only divided: by its deviation (about its mean, over
  /// all samples, zeros included), or for minmax by its largest magnitude, which brings it into
  /// [-1, 1].
  [[nodiscard]] Normalizer scaling(Normalization kind) const;

  /// The largest magnitude that a feature of this set has when it is normalized.
  [[nodiscard]] double largest(const Normalizer& normalizer) const;

  /// All numbers in one row, for their way between ranks: 5 x features.
  [[nodiscard]] std::span<double> flat() { return numbers_; }
  [[nodiscard]] static std::size_t flat_size(std::size_t features) { return 5 * features; }

 private:
  /// See Normalization::common.
  [[nodiscard]] Normalizer in_common(const std::vector<bool>& scaled) const;
  /// One of the five rows of numbers.
  [[nodiscard]] std::span<double> row(std::size_t index) {
    return std::span(numbers_).subspan(index * features_, features_);
  }
  [[nodiscard]] std::span<const double> row(std::size_t index) const {
    return std::span(numbers_).subspan(index * features_, features_);
  }
  void add_value(std::size_t j, double x);
  // Of empty statistics. Sparse rows have their stored values visited, no zeros.
  void add_stored(const Dataset& data, std::span<const std::uint64_t> samples);
  void add_encoded(const Dataset& data, std::span<const std::uint64_t> samples);
  void add_dense(const Dataset& data, std::span<const std::uint64_t> samples);
  /// Adds to each feature as many zeros as it lacks of `samples` values, as one set.
  void add_zeros(double samples);

  std::size_t features_;
  std::vector<double> numbers_;  ///< count, mean, squares, min, max, each `features` long
};

}  // namespace dnn
