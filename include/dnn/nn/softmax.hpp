#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "dnn/core/exact_sum.hpp"
#include "dnn/core/matrix.hpp"
#include "dnn/core/targets.hpp"

namespace dnn {

/// y = softmax(a), in place, scaled by exp(-max) so that nothing overflows [Challa 2022, eq. 3]:
/// finite and exact for any finite a and for -inf (a masked class, probability 0). Throws
/// NumericalError for NaN, +inf, or nothing but -inf.
template <class T>
void softmax(std::span<T> a);

/// A sample's m = max a_j and Σ exp(a_j - m).
struct SoftmaxRow {
  double max = 0;
  double sum = 0;

  /// log y_j of the logit a_j, the same bits wherever it is computed.
  [[nodiscard]] double log_probability(double logit) const { return logit - max - std::log(sum); }
  /// The largest y_j.
  [[nodiscard]] double confidence() const { return 1 / sum; }
};

/// Sums over a set of samples, each times its weight; sums of several sets add up. A mean over all
/// ranks' samples is the sum over them divided by that of their weights. Without weights these are
/// counts of samples.
struct LossSums {
  ExactSum loss;     ///< Σ of the samples' losses
  ExactSum correct;  ///< of samples whose largest logit is their label's (the first of equals)
  ExactSum weight;   ///< of all samples

  /// Adds one sample.
  void add(double sample_loss, bool is_correct, double sample_weight) {
    loss += sample_weight * sample_loss;
    correct += is_correct ? sample_weight : 0;
    weight += sample_weight;
  }
  LossSums& operator+=(const LossSums& other) {
    loss += other.loss;
    correct += other.correct;
    weight += other.weight;
    return *this;
  }
};

/// Softmax with categorical cross-entropy: the loss of a sample with label t is
/// -w_t Σ_j ŷ_j log y_j [Challa 2022, eq. 1 without its constant 1/M, which the derivation drops
/// from eq. 2 on]. The target is ŷ = (1 - ε) onehot(t) + ε / M_N (label smoothing ε; Szegedy et
/// al., CVPR 2016) and w_t the class's weight. Log-probabilities come from a_j - m - log Σ exp(a_i
/// - m).
class SoftmaxCrossEntropy {
 public:
  /// `class_weights`: one a class, or empty for 1. Throws std::invalid_argument unless 0 <=
  /// smoothing < 1 and every weight is finite and >= 0.
  explicit SoftmaxCrossEntropy(double label_smoothing = 0, std::vector<double> class_weights = {});

  /// The sums over the samples of A (S x M_N logits) with the classes of `targets`. Throws
  /// NumericalError for logits that softmax cannot take, or a loss that is not finite.
  template <class T>
  [[nodiscard]] LossSums evaluate(MatrixView<const T> A, const Targets& targets) const;

  /// As evaluate, and A becomes dA^N = w w_t (y - ŷ) / `global_samples` [Challa 2022, eq. 17] with
  /// w the sample's weight, the gradient of the mean over all ranks' samples. After a
  /// NumericalError A's values mean nothing.
  template <class T>
  LossSums differentiate(MatrixView<T> A, const Targets& targets, std::size_t global_samples) const;

  /// ε.
  [[nodiscard]] double label_smoothing() const { return smoothing_; }
  /// w_t of the label's class.
  [[nodiscard]] double weight(std::size_t target) const {
    return weights_.empty() ? 1 : weights_[target];
  }

 private:
  /// Σ ŷ_j (a_j - m) of one sample.
  template <class T>
  [[nodiscard]] double linear_part(std::span<const T> a, std::size_t target, T max) const;
  /// The loss of one sample: w_t (log Σ exp(a_j - m) - Σ ŷ_j (a_j - m)), since Σ ŷ_j = 1.
  [[nodiscard]] double loss(double linear, double sum, std::size_t target) const;

  double smoothing_;
  std::vector<double> weights_;
};

}  // namespace dnn
