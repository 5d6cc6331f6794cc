#pragma once

#include "dnn/checkpoint/checkpoint.hpp"
#include "dnn/comm/communicator.hpp"
#include "dnn/nn/parameter_layout.hpp"
#include "dnn/optim/optimizer.hpp"
#include "dnn/parallel/gradient_exchange.hpp"
#include "dnn/train/training_step.hpp"

namespace dnn {

class TensorParts;

/// The elements of every tensor that one rank keeps for the whole run; those of all ranks that hold
/// tensors of the same layout cover all of them once.
struct SavedElements {
  Range flat;    ///< in the flat buffers
  Range packed;  ///< counted without padding

  /// Collective over these ranks. `own`: what this rank updates.
  [[nodiscard]] static SavedElements find(const Communicator& ranks, const ParameterLayout& layout,
                                          Range own);
};

/// How many parameters lie before an element of the flat buffer.
[[nodiscard]] std::size_t packed_offset(const ParameterLayout& layout, std::size_t element);

/// Appends the bytes of elements `flat` of a flat buffer, without padding. `held` is what there is
/// of the buffer, from element `first` on.
template <class T>
void append_packed(const ParameterLayout& layout, std::span<const T> held, std::size_t first,
                   Range flat, std::vector<std::byte>& bytes);

/// Collective over `world`, between two updates: the bytes of W and B and of the optimizer's state
/// that this rank writes, in the order of a part (see Note [Checkpoints in parts]), but for the
/// best W and B. On rank 0, `checkpoint` gets what else gather_tensors gives.
template <class T>
[[nodiscard]] std::vector<std::byte> take_slice(const Communicator& world, TrainingStep<T>& step,
                                                const GradientExchange<T>& exchange,
                                                const TensorParts& parts, Checkpoint& checkpoint);

/// Collective over `world`, between two updates: on rank 0, `checkpoint` gets the parameters, the
/// optimizer's state and the exchange's residuals, whichever ranks hold them.
template <class T>
void gather_tensors(const Communicator& world, TrainingStep<T>& step,
                    const GradientExchange<T>& exchange, const TensorParts& parts,
                    Checkpoint& checkpoint);

/// Collective over `world`, between two updates: every rank takes its part of what rank 0's
/// `checkpoint` holds, whose tensors are freed on the way; the other ranks' is not used. Returns
/// whether the residuals fitted; those of another layout of the ranks are forgotten (a rounding of
/// one step's gradients is lost).
template <class T>
bool restore_tensors(const Communicator& world, TrainingStep<T>& step,
                     GradientExchange<T>& exchange, const TensorParts& parts,
                     Checkpoint& checkpoint);

}  // namespace dnn
