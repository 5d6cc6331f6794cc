#include "dnn/nn/softmax.hpp"

#include <algorithm>
#include <cmath>
#include <exception>
#include <mutex>
#include <stdexcept>
#include <utility>

#include "dnn/core/error.hpp"
#include "dnn/core/threads.hpp"
#include "dnn/nn/softmax_row.hpp"

namespace dnn {

namespace {

/// Throws NumericalError unless `sum` = Σ exp(a_j - m) is a number: it is at least exp(0) where
/// softmax has a value, and NaN if the row holds NaN or +inf, or nothing but -inf.
void check_sum(double sum) {
  if (!(sum >= 1)) {
    throw NumericalError("the logits hold NaN or +inf, or mask every class");
  }
}

/// Whether the label's logit is the row's first largest one.
template <class T>
bool is_first_max(std::span<const T> a, std::size_t target, T max) {
  const auto before = a.first(target);
  return a[target] == max && std::find(before.begin(), before.end(), max) == before.end();
}

/// Adds `sample(s)`, a loss and whether the sample is correct, times the samples' weights, in
/// threads. What `sample` throws comes out here.
template <class Sample>
LossSums sum_over_samples(std::size_t samples, std::size_t classes, const Targets& targets,
                          const Sample& sample) {
  LossSums total;
  std::exception_ptr error;
  std::mutex mutex;
  parallel_for_rows(samples, classes, [&](Range rows) {
    LossSums sums;
    std::exception_ptr thrown;
    try {
      for (std::size_t s = rows.begin; s < rows.end; ++s) {
        const auto [loss, correct] = sample(s);
        sums.add(loss, correct, targets.weight(s));
      }
    } catch (...) {
      thrown = std::current_exception();
    }
    const std::lock_guard lock(mutex);
    total += sums;
    error = thrown ? thrown : error;
  });
  if (error) {
    std::rethrow_exception(error);
  }
  return total;
}

}  // namespace

template <class T>
void softmax(std::span<T> a) {
  const double sum = exp_row(a, row_max(std::span<const T>(a)));
  check_sum(sum);
  scale_row(a, static_cast<T>(1 / sum), T{0});
}

SoftmaxCrossEntropy::SoftmaxCrossEntropy(double label_smoothing, std::vector<double> class_weights)
    : smoothing_(label_smoothing), weights_(std::move(class_weights)) {
  const auto usable = [](double w) { return std::isfinite(w) && w >= 0; };
  if (!(smoothing_ >= 0 && smoothing_ < 1) ||
      !std::all_of(weights_.begin(), weights_.end(), usable)) {
    throw std::invalid_argument("label smoothing must be in [0, 1), class weights finite and >= 0");
  }
}

template <class T>
double SoftmaxCrossEntropy::linear_part(std::span<const T> a, std::size_t target, T max) const {
  const double off_target =
      smoothing_ > 0 ? smoothing_ / static_cast<double>(a.size()) * difference_sum(a, max) : 0;
  return (1 - smoothing_) * static_cast<double>(a[target] - max) + off_target;
}

double SoftmaxCrossEntropy::loss(double linear, double sum, std::size_t target) const {
  check_sum(sum);
  const double value = weight(target) * (std::log(sum) - linear);
  if (!std::isfinite(value)) {
    throw NumericalError("the loss is not finite: the label's class is masked by a logit of -inf");
  }
  return value;
}

template <class T>
LossSums SoftmaxCrossEntropy::evaluate(MatrixView<const T> A, const Targets& targets) const {
  return sum_over_samples(A.rows, A.cols, targets, [&](std::size_t s) {
    const std::span<const T> a = A.row(s);
    const auto target = static_cast<std::size_t>(targets.classes[s]);
    const T max = row_max(a);
    return std::pair(loss(linear_part(a, target, max), exp_sum(a, max), target),
                     is_first_max(a, target, max));
  });
}

template <class T>
LossSums SoftmaxCrossEntropy::differentiate(MatrixView<T> A, const Targets& targets,
                                            std::size_t global_samples) const {
  return sum_over_samples(A.rows, A.cols, targets, [&](std::size_t s) {
    const std::span<T> a = A.row(s);
    const auto target = static_cast<std::size_t>(targets.classes[s]);
    const T max = row_max(std::span<const T>(a));
    const bool correct = is_first_max(std::span<const T>(a), target, max);
    const double linear = linear_part(std::span<const T>(a), target, max);
    const double sum = exp_row(a, max);  // from here on the row holds exponentials
    const double share = targets.weight(s) * weight(target) / static_cast<double>(global_samples);
    scale_row(a, static_cast<T>(share / sum),
              static_cast<T>(share * smoothing_ / static_cast<double>(a.size())));
    a[target] -= static_cast<T>(share * (1 - smoothing_));
    return std::pair(loss(linear, sum, target), correct);
  });
}

#define DNN_INSTANTIATE(T)                                                                         \
  template void softmax(std::span<T>);                                                             \
  template LossSums SoftmaxCrossEntropy::evaluate(MatrixView<const T>, const Targets&) const;      \
  template LossSums SoftmaxCrossEntropy::differentiate(MatrixView<T>, const Targets&, std::size_t) \
      const;
DNN_INSTANTIATE(float)
DNN_INSTANTIATE(double)
#undef DNN_INSTANTIATE

}  // namespace dnn
