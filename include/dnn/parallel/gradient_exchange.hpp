#pragma once

#include <span>

#include "dnn/core/partition.hpp"

namespace dnn {

/// How the ranks' gradients become one update: the seam that hides the layout of the ranks from the
/// training step, which is
///
///     own = exchange.combine(gradients)
///     optimizer.step(values[own], gradients[own])   // the deferred update
///     exchange.publish(values)
template <class T>
class GradientExchange {
 public:
  virtual ~GradientExchange() = default;
  GradientExchange(const GradientExchange&) = delete;
  GradientExchange& operator=(const GradientExchange&) = delete;

  /// The range of the flat buffers that this rank updates; the same at every step.
  [[nodiscard]] virtual Range own() const = 0;

  /// Collective: gradients[own()] becomes the sum of all ranks' dW and dB. Returns own().
  virtual Range combine(std::span<T> gradients) = 0;

  /// Collective: every rank sees the values that their owners updated.
  virtual void publish(std::span<T> values) = 0;

  /// Collective: the sum over all owners of a number about their own range (a part of a norm);
  /// where every rank owns everything, the number itself.
  [[nodiscard]] virtual double sum_over_owners(double part) const = 0;

 protected:
  GradientExchange() = default;
};

}  // namespace dnn
