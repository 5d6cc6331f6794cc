#pragma once

// Softmax and cross-entropy where the classes of a sample are split over ranks.

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
/// Where classes are cut into blocks (see Note [Class blocks]), each block takes the place of a
/// rank's slice: it has a maximum and sums of its own, and a place of its own in the SUM, which
/// adds nothing but zeros to them. Every rank then adds up the blocks' sums in their order.
///
/// Where the target is a distribution ŷ rather than a class, a block gives Σ ŷ_j (a_j - m_r) of its
/// classes and how much of ŷ they have. The sample's class is then the likeliest of ŷ, the first of
/// equals.
///
/// A NaN or +inf makes its rank's s_r NaN, and a sum with a NaN is one on every rank: so all hear
/// of it in the sum that they take anyway, and the rank that has it names it.
template <class T>
class ClassShardedSoftmax {
 public:
  /// `group`: the ranks that share the samples; must outlive this; null: this rank has all classes.
  /// `classes`: of the whole; `slice`: this rank's of them, ascending with the ranks; together they
  /// are all classes. `max_rows`: the most samples of a batch. `loss`: smoothing and weights.
  /// `class_blocks`: C of Note [Class blocks], of which a slice has whole ones; 0: there are none.
  ClassShardedSoftmax(const Communicator* group, std::size_t classes, Range slice,
                      std::size_t max_rows, SoftmaxCrossEntropy loss, std::size_t class_blocks = 0);

  /// What softmax of a sample was divided by: y_j = exp(a_j - max) / sum. After evaluate or
  /// differentiate, the same on all ranks of the group.
  [[nodiscard]] SoftmaxRow softmax_row(std::size_t s) const {
    return {static_cast<double>(maxima_[s]), sums(s)[0]};
  }

  struct Result {
    LossSums sums;                ///< the same on all ranks of the group; NaN with a bad row
    std::uint64_t bad_rows = 0;   ///< the same on all ranks of the group
    std::optional<BadLogit> bad;  ///< the first that this rank is to report; others report theirs
  };

  /// Collective over the group: see SoftmaxCrossEntropy::evaluate. A: S x (slice) logits; targets:
  /// S indices of the whole classes, the same on all ranks. Bad rows make the loss NaN and count as
  /// wrong.
  [[nodiscard]] Result evaluate(MatrixView<const T> A, const Targets& targets);

  /// Collective over the group: as evaluate, and A becomes this slice of dA^N (see
  /// SoftmaxCrossEntropy::differentiate). Where a row is bad, A's values mean nothing.
  [[nodiscard]] Result differentiate(MatrixView<T> A, const Targets& targets,
                                     std::size_t global_samples);

 private:
  /// Classes that are summed over together: the slice, or a block of it.
  struct Block {
    Range classes;         ///< of the whole
    std::size_t slot = 0;  ///< of a row's sums
  };
  /// What a block of a row says for itself.
  struct Row {
    T max{};                ///< m_r
    double exp_sum = 0;     ///< s_r
    double difference = 0;  ///< Σ (a_j - m_r), where there is smoothing; a distribution: Σ ŷ_j ...
    double mass = 0;        ///< a distribution: Σ ŷ_j
    T target{};             ///< the label's logit, where it is in the block
    bool first = false;     ///< it is the block's first largest one
  };
  [[nodiscard]] Row look_at(std::span<const T> a, Range classes, const Targets& targets,
                            std::size_t s) const;
  /// The class of each sample.
  [[nodiscard]] std::span<const std::int32_t> classes_of(const Targets& targets);
  [[nodiscard]] Row& row(std::size_t s, std::size_t block) {
    return rows_[s * blocks_.size() + block];
  }
  [[nodiscard]] const Row& row(std::size_t s, std::size_t block) const {
    return rows_[s * blocks_.size() + block];
  }
  /// The elements of a row that are of a block.
  template <class U>
  [[nodiscard]] std::span<U> part(MatrixView<U> A, std::size_t s, std::size_t block) const {
    const Range classes = blocks_[block].classes;
    return A.row(s).subspan(classes.begin - slice_.begin, classes.size());
  }
  void reduce(std::size_t samples, std::span<const std::int32_t> labels);
  [[nodiscard]] double linear_part(const Row& row, Range classes, T max, std::size_t target) const;
  [[nodiscard]] Result conclude(MatrixView<const T> A, std::span<const std::int32_t> labels,
                                const Targets& targets) const;
  [[nodiscard]] std::optional<BadLogit> finding(std::span<const T> a, std::size_t s,
                                                std::size_t target) const;

  /// The sums of a row over all classes.
  [[nodiscard]] const double* sums(std::size_t s) const {
    return sums_.data() + s * slots_ * sums_per_slot;
  }

  static constexpr std::size_t sums_per_slot = 3;  ///< s, Σ ŷ_j (a_j - m), classes ahead

  const Communicator* group_;
  double classes_;
  Range slice_;
  SoftmaxCrossEntropy loss_;
  std::vector<Block> blocks_;            ///< of the slice
  std::size_t slots_;                    ///< of a row's sums, of all ranks
  std::vector<Row> rows_;                ///< of each row and block
  std::vector<T> maxima_;                ///< m of each row
  std::vector<std::int32_t> likeliest_;  ///< of each row whose target is a distribution
  /// Of each row and slot, sums_per_slot; those of the row take the place of the first slot's.
  std::vector<double> sums_;
};

}  // namespace dnn
