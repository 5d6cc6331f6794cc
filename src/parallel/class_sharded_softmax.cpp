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

}  // namespace

template <class T>
ClassShardedSoftmax<T>::ClassShardedSoftmax(const Communicator& group, std::size_t classes,
                                            Range slice, std::size_t max_rows,
                                            SoftmaxCrossEntropy loss)
    : group_(group),
      classes_(static_cast<double>(classes)),
      slice_(slice),
      loss_(std::move(loss)),
      rows_(max_rows),
      maxima_(max_rows),
      sums_(max_rows * sums_per_row) {
  if (slice.end > classes || slice.begin > slice.end) {
    throw std::invalid_argument("ClassShardedSoftmax: a slice beyond the classes");
  }
}

/// All of a row but its exponentials. A slice without a finite value has no differences to its
/// maximum: empty, they are 0; masked, smoothing would spread to a class of probability 0.
template <class T>
auto ClassShardedSoftmax<T>::look_at(std::span<const T> a, std::size_t target) const -> Row {
  Row row;
  row.max = row_max(a);
  if (loss_.label_smoothing() > 0 && !a.empty()) {
    row.difference =
        row.max == minus_infinity<T> ? minus_infinity<double> : difference_sum(a, row.max);
  }
  if (owns(target)) {
    const auto before = a.first(target - slice_.begin);
    row.target = a[target - slice_.begin];
    row.first =
        row.target == row.max && std::find(before.begin(), before.end(), row.max) == before.end();
  }
  return row;
}

template <class T>
auto ClassShardedSoftmax<T>::evaluate(MatrixView<const T> A, std::span<const std::int32_t> labels)
    -> Result {
  parallel_for_rows(A.rows, A.cols, [&](Range mine) {
    for (std::size_t s = mine.begin; s < mine.end; ++s) {
      const std::span<const T> a = A.row(s);
      Row row = look_at(a, static_cast<std::size_t>(labels[s]));
      // NaN is passed over by the maximum, which then says nothing of it.
      row.exp_sum = row.max != minus_infinity<T> ? exp_sum(a, row.max)
                    : has_nan(a)                 ? std::numeric_limits<double>::quiet_NaN()
                                                 : 0;
      rows_[s] = row;
    }
  });
  reduce(A.rows, labels);
  return conclude(A, labels);
}

template <class T>
auto ClassShardedSoftmax<T>::differentiate(MatrixView<T> A, std::span<const std::int32_t> labels,
                                           std::size_t global_samples) -> Result {
  parallel_for_rows(A.rows, A.cols, [&](Range mine) {
    for (std::size_t s = mine.begin; s < mine.end; ++s) {
      const std::span<T> a = A.row(s);
      Row row = look_at(a, static_cast<std::size_t>(labels[s]));
      if (row.max != minus_infinity<T>) {
        row.exp_sum = exp_row(a, row.max);
      } else {
        row.exp_sum = has_nan<T>(a) ? std::numeric_limits<double>::quiet_NaN() : 0;
        std::transform(a.begin(), a.end(), a.begin(),
                       [](T x) { return x == minus_infinity<T> ? T{0} : x; });
      }
      rows_[s] = row;
    }
  });
  reduce(A.rows, labels);
  const Result result = conclude(A, labels);
  parallel_for_rows(A.rows, A.cols, [&](Range mine) {
    for (std::size_t s = mine.begin; s < mine.end; ++s) {
      const auto target = static_cast<std::size_t>(labels[s]);
      const double share = loss_.weight(target) / static_cast<double>(global_samples);
      const double smoothing = loss_.label_smoothing();
      scale_row(A.row(s), static_cast<T>(share * factor(s) / sum_of(s)),
                static_cast<T>(share * smoothing / classes_));
      if (owns(target)) {
        A(s, target - slice_.begin) -= static_cast<T>(share * (1 - smoothing));
      }
    }
  });
  return result;
}

/// exp(m_r - m).
template <class T>
double ClassShardedSoftmax<T>::factor(std::size_t s) const {
  const T own = rows_[s].max;
  return own == minus_infinity<T>
             ? 0
             : std::exp(static_cast<double>(own) - static_cast<double>(maxima_[s]));
}

/// Collective: the one MAX and the one SUM of Note [Scaled softmax across ranks].
template <class T>
void ClassShardedSoftmax<T>::reduce(std::size_t samples, std::span<const std::int32_t> labels) {
  for (std::size_t s = 0; s < samples; ++s) {
    maxima_[s] = rows_[s].max;
  }
  group_.all_reduce(std::span(maxima_).first(samples), Reduction::max);
  for (std::size_t s = 0; s < samples; ++s) {
    const auto target = static_cast<std::size_t>(labels[s]);
    double* sums = sums_.data() + s * sums_per_row;
    sums[0] = rows_[s].exp_sum * factor(s);
    sums[1] = linear_part(rows_[s], maxima_[s], target);
    sums[2] = puts_label_behind(rows_[s], maxima_[s], target) ? 1 : 0;
  }
  group_.all_reduce(std::span(sums_).first(samples * sums_per_row), Reduction::sum);
}

/// This slice's part of Σ ŷ_j (a_j - m).
template <class T>
double ClassShardedSoftmax<T>::linear_part(const Row& row, T max, std::size_t target) const {
  const double smoothing = loss_.label_smoothing();
  double sum = owns(target) ? (1 - smoothing) * static_cast<double>(row.target - max) : 0;
  if (smoothing > 0 && !slice_.empty()) {
    const double to_max =
        row.max == max ? 0
                       : static_cast<double>(slice_.size()) * (static_cast<double>(row.max) - max);
    sum += smoothing / classes_ * (row.difference + to_max);
  }
  return sum;
}

/// Whether the slice says that the label's logit is not the row's first largest one.
template <class T>
bool ClassShardedSoftmax<T>::puts_label_behind(const Row& row, T max, std::size_t target) const {
  if (owns(target)) {
    return !(row.first && row.max == max);
  }
  return slice_.end <= target && row.max == max;
}

template <class T>
auto ClassShardedSoftmax<T>::conclude(MatrixView<const T> A,
                                      std::span<const std::int32_t> labels) const -> Result {
  Result result;
  for (std::size_t s = 0; s < A.rows; ++s) {
    const auto target = static_cast<std::size_t>(labels[s]);
    const double* sums = sums_.data() + s * sums_per_row;
    const double loss = loss_.weight(target) * (std::log(sums[0]) - sums[1]);
    if (sums[0] >= 1 && std::isfinite(loss)) {
      result.sums.loss += loss;
      result.sums.correct += sums[2] == 0 ? 1 : 0;
      continue;
    }
    result.sums.loss = std::numeric_limits<double>::quiet_NaN();
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
  if (std::isnan(rows_[s].exp_sum)) {
    const auto bad = std::find_if(a.begin(), a.end(),
                                  [](T x) { return !(x < std::numeric_limits<T>::infinity()); });
    return BadLogit{s, slice_.begin + static_cast<std::size_t>(bad - a.begin()),
                    "the logit of a class is NaN or +inf"};
  }
  if (sum_of(s) >= 1 && owns(target)) {
    return BadLogit{s, target,
                    "the loss is not finite: the label's class, or one that label smoothing "
                    "spreads to, is masked by a logit of -inf"};
  }
  if (sum_of(s) == 0 && group_.is_root()) {
    return BadLogit{s, std::nullopt, "the logits mask every class"};
  }
  return std::nullopt;
}

template class ClassShardedSoftmax<float>;
template class ClassShardedSoftmax<double>;

}  // namespace dnn
