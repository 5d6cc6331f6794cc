#pragma once

#include <functional>

#include "dnn/comm/communicator.hpp"
#include "dnn/comm/launch_timeout.hpp"
#include "dnn/comm/rank_grid.hpp"
#include "dnn/comm/watchdog.hpp"
#include "dnn/options/config.hpp"

namespace dnn {

/// Collective over `world`: calls `body` with the grid of ranks that `config` asks for, and with
/// what watches over them (null with --stall-timeout 0); `launch` is paused meanwhile. Returns what
/// it returns. Throws AgreedError where the ranks make no such grid.
int run_on_grid(const Config& config, const Communicator& world, LaunchTimeout& launch,
                const std::function<int(RankGrid& grid, Watchdog* watchdog)>& body);

}  // namespace dnn
