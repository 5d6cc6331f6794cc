#pragma once

// Losses of outputs that stand each by itself: of numbers (regression) and of several labels.

#include <cstddef>
#include <cstdint>
#include <span>

#include "dnn/core/matrix.hpp"
#include "dnn/core/partition.hpp"
#include "dnn/core/targets.hpp"
#include "dnn/nn/softmax.hpp"

namespace dnn {

/// A loss that is a sum over the outputs of a sample. For the losses here the gradient is the one
/// of softmax with cross-entropy, dA^N = y - ŷ [Challa 2022, eq. 17]. Outputs may be split over
/// ranks, each of which has the sums of its own.
template <class T>
class OutputLoss {
 public:
  virtual ~OutputLoss() = default;

  /// The loss of one output: a is the last layer's value, `target` ŷ. Not finite where it has no
  /// value.
  [[nodiscard]] virtual double loss(T a, double target) const = 0;
  /// dloss/da.
  [[nodiscard]] virtual double slope(T a, double target) const = 0;

  /// What LossSums::loss becomes, over the samples of A (S x columns.size()), whose targets are the
  /// `columns` of the rows of `targets`; the samples' weights are not added up. `bad`, if not empty
  /// (S elements): 1 where a loss of the sample is not finite, else unchanged.
  [[nodiscard]] ExactSum evaluate(MatrixView<const T> A, const Targets& targets, Range columns,
                                  std::span<std::int64_t> bad) const;

  /// As evaluate, and A becomes dA^N = w (y - ŷ) / `global_samples` of these outputs.
  ExactSum differentiate(MatrixView<T> A, const Targets& targets, Range columns,
                         std::size_t global_samples, std::span<std::int64_t> bad) const;
};

/// Half the squared error of y = a, or, beyond `huber`, the error itself (Huber, Annals of
/// Mathematical Statistics 35, 1964): huber · (|a - ŷ| - huber / 2). 0: always squared.
template <class T>
class SquaredError final : public OutputLoss<T> {
 public:
  explicit SquaredError(double huber = 0) : huber_(huber) {}
  [[nodiscard]] double loss(T a, double target) const override;
  [[nodiscard]] double slope(T a, double target) const override;

 private:
  double huber_;
};

/// Cross-entropy of y = 1 / (1 + exp(-a)) with ŷ in [0, 1]: max(a, 0) - a ŷ + log1p(exp(-|a|)),
/// in which nothing overflows.
template <class T>
class SigmoidCrossEntropy final : public OutputLoss<T> {
 public:
  [[nodiscard]] double loss(T a, double target) const override;
  [[nodiscard]] double slope(T a, double target) const override;
};

/// 1 / (1 + exp(-a)), exact at both ends.
template <class T>
[[nodiscard]] double sigmoid(T a);

/// Whether a label of this logit is given, where it is from the probability `threshold` on.
template <class T>
[[nodiscard]] bool is_given(T logit, double threshold) {
  return threshold == 0.5 ? logit >= 0 : sigmoid(logit) >= threshold;
}

}  // namespace dnn
