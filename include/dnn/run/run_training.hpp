#pragma once

#include "dnn/comm/communicator.hpp"
#include "dnn/comm/launch_timeout.hpp"
#include "dnn/comm/stop_request.hpp"
#include "dnn/options/config.hpp"

namespace dnn {

/// Collective over `world`: a whole run of dnn_train as `config` says, from the data to the run
/// folder, during which `launch` is paused. Returns the process's exit code: exit_try_again where
/// `stop` asked for it. Throws AgreedError for input that no run can use.
int run_training(const Config& config, const Communicator& world, StopRequest& stop,
                 LaunchTimeout& launch);

}  // namespace dnn
