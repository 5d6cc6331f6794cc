#pragma once

#include "dnn/comm/communicator.hpp"
#include "dnn/data/dataset.hpp"
#include "dnn/data/sampler.hpp"

namespace dnn {

/// Collective over `world`: how the numbers of `train` become what the network learns: each target
/// column with mean 0 and deviation 1 over the training samples that count (a column that is always
/// the same keeps its scale). Sums are exact: the result is the same at any number of ranks.
/// Nothing for other tasks. Throws AgreedError, with the column's name and ends, for targets whose
/// squares are too large for a double.
void scale_targets(const Communicator& world, Dataset& train, const Sampler& sampler);

}  // namespace dnn
