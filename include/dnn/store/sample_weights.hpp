#pragma once

#include "dnn/comm/communicator.hpp"
#include "dnn/data/dataset.hpp"
#include "dnn/data/sampler.hpp"

namespace dnn {

/// Collective over `world`: scales the weights of `train`, if it has any, so that their mean over
/// the training samples is 1. The scale is the same at any number of ranks. Throws AgreedError
/// where all weights of the training or of the held-out samples are 0.
void scale_weights(const Communicator& world, Dataset& train, const Sampler& sampler);

}  // namespace dnn
