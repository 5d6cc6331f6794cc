#pragma once

#include "dnn/checkpoint/run_folder.hpp"
#include "dnn/comm/communicator.hpp"
#include "dnn/data/dataset.hpp"
#include "dnn/train/cross_validation.hpp"

namespace dnn {

/// Collective over `world`: writes out-of-fold.csv on rank 0: a line for each sample of `data`, in
/// their order, with the columns of dnn_predict (label and probabilities, or numbers) after the
/// number of the fold, from 1, that left the sample out. Throws AgreedError where it cannot be
/// written, or where outputs are no numbers.
void write_out_of_fold(const Communicator& world, const RunFolder& folder, const Dataset& data,
                       const OutOfFold& predictions);

}  // namespace dnn
