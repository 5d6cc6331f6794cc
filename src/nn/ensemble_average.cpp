#include "dnn/nn/ensemble_average.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "dnn/core/error.hpp"
#include "dnn/nn/softmax_row.hpp"

namespace dnn {

namespace {

template <class T>
using Logits = std::span<const std::span<const T>>;

template <class T>
void average_logits(Logits<T> models, std::span<T> a) {
  constexpr double largest = std::numeric_limits<T>::max();
  const double scale = 1 / static_cast<double>(std::bit_ceil(models.size()));
  const double share = scale * static_cast<double>(models.size());
  for (std::size_t j = 0; j < a.size(); ++j) {
    double sum = 0;
    for (const std::span<const T> logits : models) {
      sum += static_cast<double>(logits[j]) * scale;
    }
    // Rounded sums of the largest numbers may give a mean that is just above them.
    const double mean = sum / share;
    a[j] = static_cast<T>(std::isfinite(sum) ? std::clamp(mean, -largest, largest) : mean);
  }
}

/// log y_j = a_j - shift() of one model.
struct LogSoftmax {
  double max;
  double log_sum;

  template <class T>
  explicit LogSoftmax(std::span<const T> a) {
    const T m = row_max(a);
    const double sum = exp_sum(a, m);
    if (!(sum >= 1)) {
      throw NumericalError("the logits hold NaN or +inf, or mask every class");
    }
    max = static_cast<double>(m);
    log_sum = std::log(sum);
  }

  [[nodiscard]] double operator()(double logit) const { return logit - max - log_sum; }
};

/// log (1/K) Σ exp(terms) of K terms; -inf if all are.
double log_mean_exp(const std::vector<double>& terms) {
  const double max = *std::max_element(terms.begin(), terms.end());
  if (max == -std::numeric_limits<double>::infinity()) {
    return max;
  }
  double sum = 0;
  for (const double term : terms) {
    sum += std::exp(term - max);
  }
  return max + std::log(sum / static_cast<double>(terms.size()));
}

template <class T>
void average_softmax(Logits<T> models, std::span<T> a) {
  const std::vector<LogSoftmax> log_softmax(models.begin(), models.end());
  std::vector<double> terms(models.size());
  for (std::size_t j = 0; j < a.size(); ++j) {
    for (std::size_t k = 0; k < models.size(); ++k) {
      terms[k] = log_softmax[k](static_cast<double>(models[k][j]));
    }
    a[j] = static_cast<T>(log_mean_exp(terms));
  }
}

/// log(1 / (1 + exp(-a))).
double log_sigmoid(double a) {
  return std::min(a, 0.0) - std::log1p(std::exp(-std::abs(a)));
}

template <class T>
void average_sigmoids(Logits<T> models, std::span<T> a) {
  std::vector<double> given(models.size());
  std::vector<double> not_given(models.size());
  for (std::size_t j = 0; j < a.size(); ++j) {
    for (std::size_t k = 0; k < models.size(); ++k) {
      const auto logit = static_cast<double>(models[k][j]);
      if (!std::isfinite(logit)) {
        throw NumericalError("the outputs hold NaN or infinite numbers");
      }
      given[k] = log_sigmoid(logit);
      not_given[k] = log_sigmoid(-logit);
    }
    a[j] = static_cast<T>(log_mean_exp(given) - log_mean_exp(not_given));
  }
}

}  // namespace

template <class T>
void average(EnsembleAverage average, Task task, std::span<const std::span<const T>> models,
             std::span<T> a) {
  if (models.size() == 1) {
    std::copy(models[0].begin(), models[0].end(), a.begin());
  } else if (average == EnsembleAverage::logits || task == Task::numbers) {
    average_logits(models, a);
  } else if (task == Task::labels) {
    average_sigmoids(models, a);
  } else {
    average_softmax(models, a);
  }
}

template void average(EnsembleAverage, Task, std::span<const std::span<const float>>,
                      std::span<float>);
template void average(EnsembleAverage, Task, std::span<const std::span<const double>>,
                      std::span<double>);

}  // namespace dnn
