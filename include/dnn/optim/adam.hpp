#pragma once

#include <vector>

#include "dnn/optim/optimizer.hpp"

namespace dnn {

/// Adam with bias correction (Kingma and Ba, ICLR 2015, algorithm 1; λw joins the gradient) and
/// AdamW (Loshchilov and Hutter, ICLR 2019: w shrinks by ηλ apart from the gradient). State: both
/// moments.
template <class T>
class Adam final : public Optimizer<T> {
 public:
  Adam(const OptimizerSettings& settings, Range own, const std::vector<Range>& decayed);

 private:
  void begin_step(std::uint64_t step_number, double learning_rate) override;
  void update(const typename Optimizer<T>::Piece& piece) override;

  OptimizerSettings settings_;
  T corrected_rate_{};  ///< η / (1 - β1^t)
  T root_scale_{};      ///< 1 / sqrt(1 - β2^t)
};

}  // namespace dnn
