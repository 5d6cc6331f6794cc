#include "dnn/run/run_grid.hpp"

#include <optional>

#include "dnn/comm/collective_error.hpp"
#include "dnn/comm/node.hpp"
#include "dnn/comm/numa_domain.hpp"

namespace dnn {

namespace {

/// Compressed sums lose bits, so they are taken between nodes only.
SharingDomain wanted_domain(const Config& config) {
  return config.compress != Compression::none && config.domain == SharingDomain::automatic
             ? SharingDomain::node
             : config.domain;
}

}  // namespace

int run_on_grid(const Config& config, const Communicator& world, LaunchTimeout& launch,
                const std::function<int(RankGrid& grid, Watchdog* watchdog)>& body) {
  int code = 0;
  Node node(world);
  {
    std::optional<Watchdog> watchdog;
    if (config.stall_timeout > 0) {
      watchdog.emplace(world, node, config.stall_timeout, "dnn_train");
    }
    const LaunchTimeout::Pause at_work(launch);
    const int domain =
        agree(world, [&] { return sharing_domain(node.ranks(), wanted_domain(config)); });
    RankGrid grid =
        agree(world, [&] { return RankGrid(world, node, config.model_parallel, domain); });
    code = body(grid, watchdog ? &*watchdog : nullptr);
    grid.close();
  }
  node.close();
  return code;
}

}  // namespace dnn
