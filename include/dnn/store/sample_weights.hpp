#pragma once

#include <cstddef>
#include <string>

#include "dnn/comm/communicator.hpp"
#include "dnn/data/dataset.hpp"
#include "dnn/data/sampler.hpp"

namespace dnn {

/// What weights that add up to `sum` are multiplied by, so that their mean over `samples` is 1.
/// Throws AgreedError, for it is called with the same numbers on all ranks, where the sum or the
/// factor is 0 or more than a double holds. `origin`: of the samples, in messages.
[[nodiscard]] double weight_scale(std::size_t samples, double sum, const std::string& origin);

/// Collective over `world`: scales the weights of `train`, if it has any, so that their mean over
/// the training samples is 1. The scale is the same at any number of ranks. Throws AgreedError
/// where all weights of the training or of the held-out samples are 0, or add up to more than a
/// double holds.
void scale_weights(const Communicator& world, Dataset& train, const Sampler& sampler);

}  // namespace dnn
