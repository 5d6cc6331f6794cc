#pragma once

#include <vector>

#include "dnn/optim/optimizer.hpp"

namespace dnn {

/// Gradient descent with momentum μ: v = μv + g + λw; then w -= ηv, or with Nesterov's look-ahead
/// w -= η (g + λw + μv) (Sutskever et al., ICML 2013). State: v.
template <class T>
class Momentum final : public Optimizer<T> {
 public:
  Momentum(const OptimizerSettings& settings, Range own, const std::vector<Range>& decayed);

 private:
  void update(const typename Optimizer<T>::Piece& piece) override;

  T momentum_;
  bool nesterov_;
};

}  // namespace dnn
