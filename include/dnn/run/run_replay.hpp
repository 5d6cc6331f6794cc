#pragma once

#include <functional>
#include <string>

#include "dnn/comm/communicator.hpp"
#include "dnn/comm/launch_timeout.hpp"
#include "dnn/comm/stop_request.hpp"
#include "dnn/options/config.hpp"
#include "dnn/options/replay_request.hpp"

namespace dnn {

/// Collective over `world`: recomputes one update of a run, from a checkpoint before it on, and
/// prints what it did; see ReplayedUpdate. Nothing of the run is changed.
///
/// Note [A replay's options]
/// A replay takes the options of the run from the checkpoint, so that it needs no options but those
/// of where it runs: where the data lie now, and how its own ranks exchange. `with_settings` makes
/// a configuration of settings (JSON, see to_json) and the command line, which goes before them.
/// What decides what the run computes cannot be changed; what the run did besides computing
/// (writing, stopping, going back) is left away. --model-parallel is the run's where it divides the
/// ranks at hand.
///
/// Returns the process's exit code. Throws AgreedError for what cannot be replayed.
int run_replay(const ReplayRequest& request, const Communicator& world, StopRequest& stop,
               LaunchTimeout& launch,
               const std::function<Config(const std::string& settings)>& with_settings);

}  // namespace dnn
