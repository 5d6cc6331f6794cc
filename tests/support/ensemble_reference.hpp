#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "dnn/nn/ensemble_average.hpp"

namespace dnn::test {

inline void reference_softmax(std::vector<long double>& a) {
  const long double max = *std::max_element(a.begin(), a.end());
  long double sum = 0;
  for (long double& value : a) {
    value = std::exp(value - max);
    sum += value;
  }
  for (long double& value : a) {
    value /= sum;
  }
}

/// An ensemble's probabilities for one sample as the formulas read, in long double. `A`: the logits
/// of each model.
template <class T>
std::vector<long double> reference_probabilities(EnsembleAverage kind,
                                                 const std::vector<std::vector<T>>& A) {
  std::vector<long double> y(A[0].size(), 0);
  for (const std::vector<T>& logits : A) {
    std::vector<long double> model(logits.begin(), logits.end());
    if (kind == EnsembleAverage::probabilities) {
      reference_softmax(model);
    }
    for (std::size_t j = 0; j < y.size(); ++j) {
      y[j] += model[j] / static_cast<long double>(A.size());
    }
  }
  if (kind == EnsembleAverage::logits) {
    reference_softmax(y);
  }
  return y;
}

/// Expects `y` to be the reference, but for T's rounding: that of the logits' mean, as large as
/// they are, makes a relative error of its exponential. Where the logits are so large that this
/// would allow anything, y is all or nothing, or the same for all classes, and has to be exact.
template <class T>
void expect_is_reference(EnsembleAverage kind, const std::vector<std::vector<T>>& A,
                         const std::vector<T>& y) {
  const std::vector<long double> expected = reference_probabilities(kind, A);
  long double largest = 0;
  for (const std::vector<T>& logits : A) {
    for (const T a : logits) {
      largest = std::isinf(a) ? largest : std::max<long double>(largest, std::abs(a));
    }
  }
  const long double growth = largest < 2000 ? 16 + 8 * largest : 2;
  long double worst = 0;  // distance over what is allowed
  for (std::size_t j = 0; j < y.size(); ++j) {
    const long double allowed = expected[j] * growth * std::numeric_limits<T>::epsilon() +
                                2 * std::numeric_limits<T>::min();
    worst = std::max(worst, std::abs(static_cast<long double>(y[j]) - expected[j]) / allowed);
  }
  EXPECT_LE(worst, 1) << A.size() << " models, " << y.size() << " classes, logits to " << largest;
}

}  // namespace dnn::test
