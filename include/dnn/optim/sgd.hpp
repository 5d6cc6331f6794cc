#pragma once

#include <vector>

#include "dnn/optim/optimizer.hpp"

namespace dnn {

/// Plain stochastic gradient descent: w -= η (g + λw). No state.
template <class T>
class Sgd final : public Optimizer<T> {
 public:
  Sgd(const OptimizerSettings& settings, Range own, const std::vector<Range>& decayed);

 private:
  void update(const typename Optimizer<T>::Piece& piece) override;
};

}  // namespace dnn
