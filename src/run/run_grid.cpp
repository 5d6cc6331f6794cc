#include "dnn/run/run_grid.hpp"

#include <optional>

#include "dnn/comm/agree.hpp"
#include "dnn/comm/node.hpp"

namespace dnn {

int run_on_grid(const Config& config, const Communicator& world, LaunchGuard& guard,
                const std::function<int(RankGrid& grid, Watchdog* watchdog)>& body) {
  int code = 0;
  Node node(world);
  {
    std::optional<Watchdog> watchdog;
    if (config.stall_timeout > 0) {
      watchdog.emplace(world, node, config.stall_timeout, "dnn_train");
    }
    const LaunchGuard::Pause at_work(guard);
    RankGrid grid = agree(world, [&] { return RankGrid(world, node, config.model_parallel); });
    code = body(grid, watchdog ? &*watchdog : nullptr);
    grid.close();
  }
  node.close();
  return code;
}

}  // namespace dnn
