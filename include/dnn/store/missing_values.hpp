#pragma once

#include "dnn/comm/communicator.hpp"
#include "dnn/data/dataset.hpp"
#include "dnn/data/feature_statistics.hpp"
#include "dnn/data/sampler.hpp"
#include "dnn/store/held_rows.hpp"

namespace dnn {

/// Collective over `world`: sets what missing numbers and dates of a table are taken for, in
/// columns where any are missing: the exact median of the training samples that count (of the two
/// middle values, the mean). Each rank finds those of some columns; the result is the same at any
/// number of ranks. `held`: who holds which samples, where the nodes share them out; else null.
void fill_with_medians(const Communicator& world, Dataset& train, const HeldRows* held,
                       const Sampler& sampler);

/// The same for columns where no value of the training table is missing, in case one is later: the
/// mean, by the statistics of the training set's inputs.
void fill_with_means(TableSchema& schema, const FeatureStatistics& inputs);

}  // namespace dnn
