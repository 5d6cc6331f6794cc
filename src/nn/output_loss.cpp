#include "dnn/nn/output_loss.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>

#include "dnn/core/threads.hpp"
#include "dnn/nn/exponential.hpp"

namespace dnn {

namespace {

/// Sums `loss(s, j)` of all samples and columns, times the samples' weights, in threads.
template <class Loss>
ExactSum sum_over_outputs(std::size_t samples, std::size_t columns, const Targets& targets,
                          std::span<std::int64_t> bad, const Loss& loss) {
  ExactSum total;
  std::mutex mutex;
  parallel_for_rows(samples, columns, [&](Range rows) {
    ExactSum sum;
    for (std::size_t s = rows.begin; s < rows.end; ++s) {
      const double weight = targets.weight(s);
      for (std::size_t j = 0; j < columns; ++j) {
        const double value = loss(s, j);
        sum += weight * value;
        if (!std::isfinite(value) && !bad.empty()) {
          bad[s] = 1;
        }
      }
    }
    const std::lock_guard lock(mutex);
    total += sum;
  });
  return total;
}

}  // namespace

template <class T>
ExactSum OutputLoss<T>::evaluate(MatrixView<const T> A, const Targets& targets, Range columns,
                                 std::span<std::int64_t> bad) const {
  return sum_over_outputs(A.rows, A.cols, targets, bad, [&](std::size_t s, std::size_t j) {
    return loss(A(s, j), targets.row_target(s, columns.begin + j));
  });
}

template <class T>
ExactSum OutputLoss<T>::differentiate(MatrixView<T> A, const Targets& targets, Range columns,
                                      std::size_t global_samples,
                                      std::span<std::int64_t> bad) const {
  return sum_over_outputs(A.rows, A.cols, targets, bad, [&](std::size_t s, std::size_t j) {
    const double target = targets.row_target(s, columns.begin + j);
    const double value = loss(A(s, j), target);
    const double share = targets.weight(s) / static_cast<double>(global_samples);
    A(s, j) = static_cast<T>(share * slope(A(s, j), target));
    return value;
  });
}

template <class T>
double SquaredError<T>::loss(T a, double target) const {
  const double error = std::abs(static_cast<double>(a) - target);
  return huber_ > 0 && error > huber_ ? huber_ * (error - huber_ / 2) : error * error / 2;
}

template <class T>
double SquaredError<T>::slope(T a, double target) const {
  const double error = static_cast<double>(a) - target;
  return huber_ > 0 ? std::clamp(error, -huber_, huber_) : error;
}

template <class T>
double sigmoid(T a) {
  const auto e = static_cast<double>(exp_of_nonpositive(a > 0 ? -a : a));
  return a > 0 ? 1 / (1 + e) : e / (1 + e);
}

template <class T>
double SigmoidCrossEntropy<T>::loss(T a, double target) const {
  if (!std::isfinite(a)) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  const auto e = static_cast<double>(exp_of_nonpositive(a > 0 ? -a : a));
  // a - a ŷ as a (1 - ŷ): with ŷ = 1 nothing is left of the largest a.
  const double linear =
      a > 0 ? static_cast<double>(a) * (1 - target) : -static_cast<double>(a) * target;
  return linear + std::log1p(e);
}

template <class T>
double SigmoidCrossEntropy<T>::slope(T a, double target) const {
  return sigmoid(a) - target;
}

template double sigmoid(float);
template double sigmoid(double);
template class OutputLoss<float>;
template class OutputLoss<double>;
template class SquaredError<float>;
template class SquaredError<double>;
template class SigmoidCrossEntropy<float>;
template class SigmoidCrossEntropy<double>;

}  // namespace dnn
