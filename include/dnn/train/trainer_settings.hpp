#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "dnn/core/task.hpp"
#include "dnn/model/precision.hpp"
#include "dnn/nn/initializer.hpp"
#include "dnn/optim/learning_rate.hpp"
#include "dnn/optim/optimizer.hpp"
#include "dnn/parallel/parallel_settings.hpp"
#include "dnn/store/data_settings.hpp"

namespace dnn {

/// The network that is trained.
struct NetworkSettings {
  std::vector<std::size_t> hidden = {256, 128};  ///< nodes of the hidden layers, first to last
  Precision precision = Precision::f32;
  bool bf16_fallback = false;  ///< precision bf16: float where a processor has no unit for it
  double dropout = 0;          ///< probability that a step drops a hidden node
  Initializer init = Initializer::automatic;

  /// What suits the task where init is automatic, see Note [Initial values for numbers].
  [[nodiscard]] Initializer initializer(Task task) const;
};

enum class ClassWeights { none, balanced };
/// Where labels get the probabilities from which they are given: chosen on held-out samples, see
/// LabelThresholds, or 1/2.
enum class ThresholdRule { chosen, half };
/// What to do about an update whose loss or gradients are NaN or infinite.
enum class OnNonfinite { abort, skip, rollback };

/// How long and in which steps the network is trained.
struct OptimizationSettings {
  std::size_t epochs = 20;
  OptimizerKind optimizer = OptimizerKind::adam;
  std::optional<double> lr;  ///< none: what suits the optimizer
  double momentum = 0.9;
  ScheduleKind lr_schedule = ScheduleKind::cosine;
  double warmup_epochs = 0;
  double lr_step_epochs = 10;
  double lr_step_factor = 0.1;
  double weight_decay = 0;
  double clip_norm = 0;  ///< the largest norm of all gradients together; 0: any
  /// Memory of the exponential average of the parameters that is validated and kept, in epochs; 0:
  /// the parameters themselves are.
  double average_weights = 0;
  double label_smoothing = 0;
  ClassWeights class_weights = ClassWeights::none;
  double huber = 0;  ///< see LossSettings
  ThresholdRule label_thresholds = ThresholdRule::chosen;
  std::size_t early_stop = 0;  ///< epochs without a better validation result; 0: never
  OnNonfinite on_nonfinite = OnNonfinite::abort;
  std::size_t verify_every = 1000;  ///< updates between comparisons of the replicas; 0: never

  /// η that suits the optimizer: 0.001 for adam and adamw, 0.1 for sgd, 0.02 with momentum.
  [[nodiscard]] double learning_rate() const;
};

/// Everything that a Trainer obeys.
struct TrainerSettings : DataSettings, NetworkSettings, OptimizationSettings, ParallelSettings {};

/// `settings` for a training that writes no checkpoints: it has none to go back to, so
/// --on-nonfinite rollback leaves an update out.
[[nodiscard]] TrainerSettings without_checkpoints(TrainerSettings settings);

}  // namespace dnn
