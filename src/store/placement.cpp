#include "dnn/store/placement.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "dnn/comm/collective_error.hpp"
#include "dnn/core/available_memory.hpp"
#include "dnn/core/error.hpp"
#include "dnn/store/held_rows.hpp"

namespace dnn {

namespace {

/// What the job knows of its data and memory.
struct Room {
  std::uint64_t features = 0;  ///< bytes of all features
  std::uint64_t memory = 0;    ///< bytes that may still be used, on the node that has least
  bool has_several_nodes = false;
};

PlacementChoice choose(const DataSettings& settings, const Room& room) {
  const Placement wanted = settings.placement;
  if (wanted == Placement::job && settings.folds > 0) {
    throw InputError(
        "--placement job with --folds: folds are trained side by side by groups of ranks, and each "
        "group needs all samples; use --placement node or disk");
  }
  if (wanted == Placement::job && !room.has_several_nodes) {
    return {Placement::node, "--placement job needs several nodes, and this job has one"};
  }
  const bool fits = room.features <= room.memory;
  if (wanted == Placement::job || wanted == Placement::disk || fits) {
    return {wanted == Placement::automatic ? Placement::node : wanted, ""};
  }
  const std::string need = fmt::format("the features need {} a node, of {} that may be used",
                                       size_text(room.features), size_text(room.memory));
  if (wanted == Placement::node) {
    throw InputError("--placement node: " + need +
                     "; use --placement disk --scratch DIR, or --placement job on several nodes");
  }
  if (room.has_several_nodes && settings.folds == 0) {
    return {Placement::job, need};
  }
  if (!settings.scratch.empty()) {
    return {Placement::disk, need};
  }
  throw InputError(need +
                   "; give a folder on the node's disk (--placement disk --scratch DIR), or "
                   "use more nodes");
}

}  // namespace

PlacementChoice choose_placement(const DataSettings& settings, const RankGrid& grid,
                                 const FeatureMemory& read) {
  const Communicator& world = grid.world();
  Room room;
  room.features = world.all_reduce<std::uint64_t>(read.bytes, Reduction::max);
  // A leader alone on its node uses what it has read; else there is a copy beside it.
  const bool is_there = grid.node().size() == 1 && read.has_all;
  const std::uint64_t free_memory =
      std::min<std::uint64_t>(available_memory(), std::uint64_t{1} << 62);
  room.memory = world.all_reduce<std::uint64_t>(
      is_there ? room.features + free_memory : free_memory, Reduction::min);
  room.has_several_nodes = grid.nodes() > 1;
  PlacementChoice choice = agree(world, [&] { return choose(settings, room); });
  choice.window_bytes = settings.window_bytes;
  return choice;
}

std::size_t feature_bytes(const Dataset& data) {
  const RowUnits units(data);
  const bool is_mapped = !data.values.mapped_path.empty();
  return is_mapped ? 0 : units.before(data.samples) * units.bytes();
}

Range part_of_node(const RankGrid& grid, std::size_t samples) {
  return part_of(samples, grid.nodes(), grid.node_number());
}

}  // namespace dnn
