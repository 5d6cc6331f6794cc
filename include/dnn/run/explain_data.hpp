#pragma once

#include "dnn/comm/communicator.hpp"
#include "dnn/options/config.hpp"

namespace dnn {

/// Collective over `world`: prints, from rank 0, how the data of --explain-data are understood as
/// training data. Returns the exit code. Throws AgreedError.
int explain_data(const Config& config, const Communicator& world);

}  // namespace dnn
