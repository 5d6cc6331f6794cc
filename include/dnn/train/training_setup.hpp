#pragma once

// Class weights and learning-rate schedule of a run, from its settings and its data.

#include <cstddef>
#include <vector>

#include "dnn/comm/communicator.hpp"
#include "dnn/optim/learning_rate.hpp"
#include "dnn/store/training_data.hpp"
#include "dnn/train/trainer_settings.hpp"

namespace dnn {

/// Collective over `world`: the weight of each class in the loss, w_c = n / (K n_c) where
/// --class-weights is balanced, so that every class has the same weight in all and the mean weight
/// of a sample is 1; empty where all are 1.
[[nodiscard]] std::vector<double> class_weights_of(ClassWeights kind, const Communicator& world,
                                                   const TrainingData& data);

/// The learning rate's schedule over the run's `steps_per_epoch` updates an epoch.
[[nodiscard]] LearningRateSchedule schedule_of(const OptimizationSettings& settings,
                                               std::size_t steps_per_epoch);

}  // namespace dnn
