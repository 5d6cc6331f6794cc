#include "dnn/parallel/class_sharded_softmax.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>

#include "dnn/core/threads.hpp"
#include "dnn/nn/softmax_row.hpp"

namespace dnn {

namespace {

template <class T>
constexpr T minus_infinity = -std::numeric_limits<T>::infinity();

template <class T>
bool has_nan(std::span<const T> a) {
  return std::any_of(a.begin(), a.end(), [](T x) { return std::isnan(x); });
}

bool holds(Range classes, std::size_t target) {
  return target >= classes.begin && target < classes.end;
}

/// exp(m_r - m).
template <class T>
double factor(T own, T max) {
  return own == minus_infinity<T> ? 0
                                  : std::exp(static_cast<double>(own) - static_cast<double>(max));
}

/// Whether a block says that the label's logit is not the row's first largest one.
template <class Row, class T>
bool puts_label_behind(const Row& row, Range classes, T max, std::size_t target) {
  if (holds(classes, target)) {
    return !(row.first && row.max == max);
  }
  return classes.end <= target && row.max == max;
}

/// The part of a distribution ŷ that a block has. A class without any takes no part, whatever its
/// logit is.
template <class Row, class T>
void add_distribution(std::span<const T> a, std::span<const double> target, Row& row) {
  for (std::size_t j = 0; j < a.size(); ++j) {
    if (target[j] > 0) {
      row.mass += target[j];
      row.difference +=
          row.max == minus_infinity<T>
              ? minus_infinity<double>
              : target[j] * (static_cast<double>(a[j]) - static_cast<double>(row.max));
    }
  }
}

}  // namespace

template <class T>
ClassShardedSoftmax<T>::ClassShardedSoftmax(const Communicator* group, std::size_t classes,
                                            Range slice, std::size_t max_rows,
                                            SoftmaxCrossEntropy loss, std::size_t class_blocks)
    : group_(group),
      classes_(static_cast<double>(classes)),
      slice_(slice),
      loss_(std::move(loss)),
      slots_(std::max<std::size_t>(class_blocks, 1)),
      maxima_(max_rows),
      sums_(max_rows * slots_ * sums_per_slot) {
  if (slice.end > classes || slice.begin > slice.end) {
    throw std::invalid_argument("ClassShardedSoftmax: a slice beyond the classes");
  }
  if (class_blocks == 0) {
    blocks_.push_back({slice, 0});
  }
  for (std::size_t slot = 0; slot < class_blocks; ++slot) {
    const Range block = part_of(classes, class_blocks, slot);
    if (const Range held = intersect(block, slice); !held.empty()) {
      if (held != block) {
        throw std::invalid_argument("ClassShardedSoftmax: a slice with a part of a block");
      }
      blocks_.push_back({block, slot});
    }
  }
  rows_.resize(max_rows * blocks_.size());
}

/// All of a block of a row but its exponentials. A block without a finite value has no differences
/// to its maximum: empty, they are 0; masked, smoothing would spread to a class of probability 0.
template <class T>
auto ClassShardedSoftmax<T>::look_at(std::span<const T> a, Range classes, const Targets& targets,
                                     std::size_t s) const -> Row {
  Row row;
  row.max = row_max(a);
  const bool is_distribution = targets.rows.rows > 0;
  if (is_distribution) {
    add_distribution(a, targets.rows.row(s).subspan(classes.begin, classes.size()), row);
  }
  const auto target =
      static_cast<std::size_t>(is_distribution ? likeliest_[s] : targets.classes[s]);
  if (loss_.label_smoothing() > 0 && !a.empty()) {
    row.difference =
        row.max == minus_infinity<T> ? minus_infinity<double> : difference_sum(a, row.max);
  }
  if (holds(classes, target)) {
    const auto before = a.first(target - classes.begin);
    row.target = a[target - classes.begin];
    row.first =
        row.target == row.max && std::find(before.begin(), before.end(), row.max) == before.end();
  }
  return row;
}

template <class T>
std::span<const std::int32_t> ClassShardedSoftmax<T>::classes_of(const Targets& targets) {
  if (targets.rows.rows == 0) {
    return targets.classes;
  }
  likeliest_.clear();
  for (std::size_t s = 0; s < targets.rows.rows; ++s) {
    const auto row = targets.rows.row(s);
    const auto largest = std::max_element(row.begin(), row.end());
    likeliest_.push_back(static_cast<std::int32_t>(largest - row.begin()));
  }
  return likeliest_;
}

template <class T>
auto ClassShardedSoftmax<T>::evaluate(MatrixView<const T> A, const Targets& targets) -> Result {
  const std::span<const std::int32_t> labels = classes_of(targets);
  parallel_for_rows(A.rows, A.cols, [&](Range mine) {
    for (std::size_t s = mine.begin; s < mine.end; ++s) {
      for (std::size_t b = 0; b < blocks_.size(); ++b) {
        const std::span<const T> a = part(A, s, b);
        Row found = look_at(a, blocks_[b].classes, targets, s);
        // NaN is passed over by the maximum, which then says nothing of it.
        found.exp_sum = found.max != minus_infinity<T> ? exp_sum(a, found.max)
                        : has_nan(a)                   ? std::numeric_limits<double>::quiet_NaN()
                                                       : 0;
        row(s, b) = found;
      }
    }
  });
  reduce(A.rows, labels);
  return conclude(A, labels, targets);
}

template <class T>
auto ClassShardedSoftmax<T>::differentiate(MatrixView<T> A, const Targets& targets,
                                           std::size_t global_samples) -> Result {
  const std::span<const std::int32_t> labels = classes_of(targets);
  parallel_for_rows(A.rows, A.cols, [&](Range mine) {
    for (std::size_t s = mine.begin; s < mine.end; ++s) {
      for (std::size_t b = 0; b < blocks_.size(); ++b) {
        const std::span<T> a = part(A, s, b);
        Row found = look_at(a, blocks_[b].classes, targets, s);
        if (found.max != minus_infinity<T>) {
          found.exp_sum = exp_row(a, found.max);
        } else {
          found.exp_sum = has_nan<T>(a) ? std::numeric_limits<double>::quiet_NaN() : 0;
          std::transform(a.begin(), a.end(), a.begin(),
                         [](T x) { return x == minus_infinity<T> ? T{0} : x; });
        }
        row(s, b) = found;
      }
    }
  });
  reduce(A.rows, labels);
  const Result result = conclude(A, labels, targets);
  parallel_for_rows(A.rows, A.cols, [&](Range mine) {
    for (std::size_t s = mine.begin; s < mine.end; ++s) {
      const auto target = static_cast<std::size_t>(labels[s]);
      const double share =
          targets.weight(s) * loss_.weight(target) / static_cast<double>(global_samples);
      const double smoothing = loss_.label_smoothing();
      for (std::size_t b = 0; b < blocks_.size(); ++b) {
        const double scale = share * factor(row(s, b).max, maxima_[s]) / sums(s)[0];
        scale_row(part(A, s, b), static_cast<T>(scale),
                  static_cast<T>(share * smoothing / classes_));
      }
      for (std::size_t j = 0; j < A.cols && targets.rows.rows > 0; ++j) {
        A(s, j) -= static_cast<T>(share * targets.rows(s, slice_.begin + j));
      }
      if (holds(slice_, target) && targets.rows.rows == 0) {
        A(s, target - slice_.begin) -= static_cast<T>(share * (1 - smoothing));
      }
    }
  });
  return result;
}

/// Collective: the one MAX and the one SUM of Note [Scaled softmax across ranks].
template <class T>
void ClassShardedSoftmax<T>::reduce(std::size_t samples, std::span<const std::int32_t> labels) {
  for (std::size_t s = 0; s < samples; ++s) {
    maxima_[s] = minus_infinity<T>;
    for (std::size_t b = 0; b < blocks_.size(); ++b) {
      maxima_[s] = std::max(maxima_[s], row(s, b).max);
    }
  }
  if (group_ != nullptr) {
    group_->all_reduce(std::span(maxima_).first(samples), Reduction::max);
  }
  const std::size_t per_row = slots_ * sums_per_slot;
  const std::span<double> all = std::span(sums_).first(samples * per_row);
  std::fill(all.begin(), all.end(), 0.0);
  for (std::size_t s = 0; s < samples; ++s) {
    const auto target = static_cast<std::size_t>(labels[s]);
    for (std::size_t b = 0; b < blocks_.size(); ++b) {
      const auto& [classes, slot] = blocks_[b];
      const Row& own = row(s, b);
      double* sums = all.data() + s * per_row + slot * sums_per_slot;
      sums[0] = own.exp_sum * factor(own.max, maxima_[s]);
      sums[1] = linear_part(own, classes, maxima_[s], target);
      sums[2] = puts_label_behind(own, classes, maxima_[s], target) ? 1 : 0;
    }
  }
  if (group_ != nullptr) {
    group_->all_reduce(all, Reduction::sum);
  }
  for (std::size_t s = 0; s < samples; ++s) {
    double* total = all.data() + s * per_row;
    for (std::size_t i = sums_per_slot; i < per_row; ++i) {
      total[i % sums_per_slot] += total[i];
    }
  }
}

/// A block's part of Σ ŷ_j (a_j - m).
template <class T>
double ClassShardedSoftmax<T>::linear_part(const Row& row, Range classes, T max,
                                           std::size_t target) const {
  if (row.mass > 0) {
    return row.max == max ? row.difference
                          : row.difference + row.mass * (static_cast<double>(row.max) - max);
  }
  const double smoothing = loss_.label_smoothing();
  double sum = holds(classes, target) ? (1 - smoothing) * static_cast<double>(row.target - max) : 0;
  if (smoothing > 0 && !classes.empty()) {
    const double to_max =
        row.max == max ? 0
                       : static_cast<double>(classes.size()) * (static_cast<double>(row.max) - max);
    sum += smoothing / classes_ * (row.difference + to_max);
  }
  return sum;
}

template <class T>
auto ClassShardedSoftmax<T>::conclude(MatrixView<const T> A, std::span<const std::int32_t> labels,
                                      const Targets& targets) const -> Result {
  Result result;
  for (std::size_t s = 0; s < A.rows; ++s) {
    const auto target = static_cast<std::size_t>(labels[s]);
    const double* totals = sums(s);
    const double loss = loss_.weight(target) * (std::log(totals[0]) - totals[1]);
    if (totals[0] >= 1 && std::isfinite(loss)) {
      result.sums.add(loss, totals[2] == 0, targets.weight(s));
      continue;
    }
    result.sums.add(std::numeric_limits<double>::quiet_NaN(), false, targets.weight(s));
    ++result.bad_rows;
    if (!result.bad) {
      result.bad = finding(A.row(s), s, target);
    }
  }
  return result;
}

/// What this rank has to report of a bad row. `a`: its logits or their exponentials, in which +inf
/// has become NaN.
template <class T>
std::optional<BadLogit> ClassShardedSoftmax<T>::finding(std::span<const T> a, std::size_t s,
                                                        std::size_t target) const {
  const auto bad = std::find_if(a.begin(), a.end(),
                                [](T x) { return !(x < std::numeric_limits<T>::infinity()); });
  if (bad != a.end()) {
    return BadLogit{s, slice_.begin + static_cast<std::size_t>(bad - a.begin()),
                    "the logit of a class is NaN or +inf"};
  }
  const double sum = sums(s)[0];
  if (sum >= 1 && holds(slice_, target)) {
    return BadLogit{s, target,
                    "the loss is not finite: the label's class, or one that label smoothing "
                    "spreads to, is masked by a logit of -inf"};
  }
  if (sum == 0 && (group_ == nullptr || group_->is_root())) {
    return BadLogit{s, std::nullopt, "the logits mask every class"};
  }
  return std::nullopt;
}

template class ClassShardedSoftmax<float>;
template class ClassShardedSoftmax<double>;

}  // namespace dnn
