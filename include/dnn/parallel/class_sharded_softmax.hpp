#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dnn/comm/communicator.hpp"
#include "dnn/core/matrix.hpp"
#include "dnn/core/partition.hpp"
#include "dnn/nn/softmax.hpp"

namespace dnn {

/// A logit, or a row of them, that softmax or the loss cannot take.
struct BadLogit {
  std::size_t row = 0;                     ///< of the batch
  std::optional<std::size_t> class_index;  ///< of the whole; none: all of the row's are masked
  std::string what;                        ///< "the logit of a class is NaN or +inf"
};

/// SoftmaxCrossEntropy where the classes of a sample are split over a group of ranks: each holds
/// the logits of one slice of the classes, for the same samples. Slices need not be equal, and may
/// be empty. No rank ever sees another's logits: what travels is O(samples), whatever the number of
/// classes.
///
/// Note [Scaled softmax across ranks]
/// Rank r has m_r = max of its slice of a row and s_r = Σ exp(a_j - m_r), in one pass over it: what
/// the others have is not needed for that. Then, for all samples together,
///
///     m = MAX over ranks of m_r
///     s = SUM over ranks of s_r exp(m_r - m)
///
/// and y_j = exp(a_j - m_r) · exp(m_r - m) / s. No exponent is above 0, and s >= 1 since one rank
/// has m_r = m and an exponential of 1. With s travel the loss's other sums: Σ ŷ_j (a_j - m), to
/// which the owner of the label's class gives its logit and everybody what label smoothing spreads
/// over the slice; and whether a class before the label's has as large a logit. A slice that is
/// empty or masked whole has m_r = -inf and s_r = 0.
///
/// A NaN or +inf makes its rank's s_r NaN, and a sum with a NaN is one on every rank: so all hear
/// of it in the sum that they take anyway, and the rank that has it names it.
template <class T>
class ClassShardedSoftmax {
 public:
  /// `group`: the ranks that share the samples; must outlive this. `classes`: of the whole;
  /// `slice`: this rank's of them, ascending with the ranks; together they are all classes.
  /// `max_rows`: the most samples of a batch. `loss`: smoothing and weights.
  ClassShardedSoftmax(const Communicator& group, std::size_t classes, Range slice,
                      std::size_t max_rows, SoftmaxCrossEntropy loss);

  struct Result {
    LossSums sums;                ///< the same on all ranks of the group; NaN with a bad row
    std::uint64_t bad_rows = 0;   ///< the same on all ranks of the group
    std::optional<BadLogit> bad;  ///< the first that this rank is to report; others report theirs
  };

  /// Collective over the group: see SoftmaxCrossEntropy::evaluate. A: S x (slice) logits; labels: S
  /// indices of the whole classes, the same on all ranks. Bad rows make the loss NaN and count as
  /// wrong.
  [[nodiscard]] Result evaluate(MatrixView<const T> A, std::span<const std::int32_t> labels);

  /// Collective over the group: as evaluate, and A becomes this slice of dA^N (see
  /// SoftmaxCrossEntropy::differentiate). Where a row is bad, A's values mean nothing.
  [[nodiscard]] Result differentiate(MatrixView<T> A, std::span<const std::int32_t> labels,
                                     std::size_t global_samples);

 private:
  /// What this rank's slice of a row says for itself.
  struct Row {
    T max{};                ///< m_r
    double exp_sum = 0;     ///< s_r
    double difference = 0;  ///< Σ (a_j - m_r), where there is smoothing
    T target{};             ///< the label's logit, where it is in the slice
    bool first = false;     ///< it is the slice's first largest one
  };
  [[nodiscard]] Row look_at(std::span<const T> a, std::size_t target) const;
  [[nodiscard]] bool owns(std::size_t target) const {
    return target >= slice_.begin && target < slice_.end;
  }
  void reduce(std::size_t samples, std::span<const std::int32_t> labels);
  [[nodiscard]] double linear_part(const Row& row, T max, std::size_t target) const;
  [[nodiscard]] bool puts_label_behind(const Row& row, T max, std::size_t target) const;
  [[nodiscard]] Result conclude(MatrixView<const T> A, std::span<const std::int32_t> labels) const;
  [[nodiscard]] std::optional<BadLogit> finding(std::span<const T> a, std::size_t s,
                                                std::size_t target) const;
  [[nodiscard]] double sum_of(std::size_t s) const { return sums_[s * sums_per_row]; }
  [[nodiscard]] double factor(std::size_t s) const;

  static constexpr std::size_t sums_per_row = 3;  ///< s, Σ ŷ_j (a_j - m), classes ahead

  const Communicator& group_;
  double classes_;
  Range slice_;
  SoftmaxCrossEntropy loss_;
  std::vector<Row> rows_;
  std::vector<T> maxima_;     ///< m of each row
  std::vector<double> sums_;  ///< sums_per_row of each row
};

}  // namespace dnn
