#pragma once

#include "dnn/comm/communicator.hpp"
#include "dnn/nn/parameter_layout.hpp"
#include "dnn/optim/optimizer.hpp"
#include "dnn/parallel/gradient_exchange.hpp"
#include "dnn/train/checkpoint.hpp"
#include "dnn/train/training_step.hpp"

namespace dnn {

/// Collective over `world`, between two updates: on rank 0, `checkpoint` gets the parameters, the
/// optimizer's state and the exchange's residuals, whichever ranks hold them.
template <class T>
void gather_tensors(const Communicator& world, TrainingStep<T>& step,
                    const GradientExchange<T>& exchange, Checkpoint& checkpoint);

/// Collective over `world`, between two updates: every rank takes its part of what rank 0's
/// `checkpoint` holds; the other ranks' is not used. Returns whether the residuals fitted; those of
/// another layout of the ranks are forgotten (a rounding of one step's gradients is lost).
template <class T>
bool restore_tensors(const Communicator& world, TrainingStep<T>& step,
                     GradientExchange<T>& exchange, const Checkpoint& checkpoint);

}  // namespace dnn
