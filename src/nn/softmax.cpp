#include "dnn/nn/softmax.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <tuple>
#include <utility>

#include "dnn/core/error.hpp"

namespace dnn {

namespace {

/// m = max a and s = Σ exp(a_j - m) >= 1, as doubles' accuracy allows; throws NumericalError where
/// softmax has no value.
template <class T>
std::pair<T, double> max_and_sum(std::span<const T> a) {
  T max = a[0];
  for (const T value : a) {
    max = value > max ? value : max;
  }
  double sum = 0;
  for (const T value : a) {
    sum += static_cast<double>(std::exp(value - max));
  }
  if (!(sum >= 1)) {  // also true for NaN: a NaN or inf - inf reached the sum
    throw NumericalError(
        "the logits hold NaN or +inf, or mask every class: training diverged (lower the learning "
        "rate, or set clip-norm) or the data are broken");
  }
  return {max, sum};
}

}  // namespace

template <class T>
void softmax(std::span<T> a) {
  const auto [max, sum] = max_and_sum(std::span<const T>(a));
  const T scale = static_cast<T>(1 / sum);
  for (T& value : a) {
    value = std::exp(value - max) * scale;
  }
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
LossSums SoftmaxCrossEntropy::sample_loss(std::span<const T> a, std::int32_t label, T& max,
                                          double& sum) const {
  std::tie(max, sum) = max_and_sum(a);
  const T m = max;
  // -Σ ŷ_j log y_j with log y_j = (a_j - m) - log s, and Σ ŷ_j = 1.
  const auto target = static_cast<std::size_t>(label);
  double loss = std::log(sum) - (1 - smoothing_) * static_cast<double>(a[target] - m);
  if (smoothing_ > 0) {
    double shifted = 0;
    for (const T value : a) {
      shifted += static_cast<double>(value - m);
    }
    loss -= smoothing_ / static_cast<double>(a.size()) * shifted;
  }
  loss *= weights_.empty() ? 1 : weights_[target];
  if (!std::isfinite(loss)) {
    throw NumericalError("the loss is not finite: the label's class is masked by a logit of -inf");
  }
  const auto first_max = static_cast<std::size_t>(std::find(a.begin(), a.end(), m) - a.begin());
  return {loss, first_max == target ? 1U : 0U};
}

template <class T>
LossSums SoftmaxCrossEntropy::evaluate(MatrixView<const T> A,
                                       std::span<const std::int32_t> labels) const {
  LossSums sums;
  T max{};
  double sum = 0;
  for (std::size_t s = 0; s < A.rows; ++s) {
    sums += sample_loss(A.row(s), labels[s], max, sum);
  }
  return sums;
}

template <class T>
LossSums SoftmaxCrossEntropy::differentiate(MatrixView<T> A, std::span<const std::int32_t> labels,
                                            std::size_t global_samples) const {
  LossSums sums;
  T max{};
  double sum = 0;
  for (std::size_t s = 0; s < A.rows; ++s) {
    const std::span<T> a = A.row(s);
    sums += sample_loss(std::span<const T>(a), labels[s], max, sum);
    const auto target = static_cast<std::size_t>(labels[s]);
    const double weight =
        (weights_.empty() ? 1 : weights_[target]) / static_cast<double>(global_samples);
    const T y_scale = static_cast<T>(weight / sum);
    const T off_target = static_cast<T>(weight * smoothing_ / static_cast<double>(a.size()));
    for (T& value : a) {
      value = std::exp(value - max) * y_scale - off_target;
    }
    a[target] -= static_cast<T>(weight * (1 - smoothing_));
  }
  return sums;
}

#define DNN_INSTANTIATE(T)                                                              \
  template void softmax(std::span<T>);                                                  \
  template LossSums SoftmaxCrossEntropy::evaluate(MatrixView<const T>,                  \
                                                  std::span<const std::int32_t>) const; \
  template LossSums SoftmaxCrossEntropy::differentiate(                                 \
      MatrixView<T>, std::span<const std::int32_t>, std::size_t) const;
DNN_INSTANTIATE(float)
DNN_INSTANTIATE(double)
#undef DNN_INSTANTIATE

}  // namespace dnn
