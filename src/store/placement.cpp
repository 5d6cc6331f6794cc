#include "dnn/store/placement.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "dnn/comm/collective_error.hpp"
#include "dnn/core/available_memory.hpp"
#include "dnn/core/error.hpp"
#include "dnn/store/held_rows.hpp"

namespace dnn {

PlacementChoice choose_placement(const DataSettings& settings, const PlacementRoom& room) {
  const Placement wanted = settings.placement;
  if (wanted == Placement::job && settings.folds > 0) {
    throw InputError(
        "--placement job with --folds: folds are trained side by side by groups of ranks, and each "
        "group needs all samples; use --placement node or disk");
  }
  if (wanted == Placement::job && room.nodes == 1) {
    return {Placement::node, "--placement job needs several nodes, and this job has one"};
  }
  const bool fits_node = room.features <= room.free_for_all;
  const bool fits_job =
      room.nodes > 1 && settings.folds == 0 && room.features / room.nodes <= room.free_for_part;
  if (wanted == Placement::disk || (wanted == Placement::job && fits_job) ||
      (wanted != Placement::job && fits_node)) {
    return {wanted == Placement::automatic ? Placement::node : wanted, ""};
  }
  const std::string need = fmt::format(
      "the features need {} a node{}, and {} may still be used", size_text(room.features),
      room.nodes > 1 ? fmt::format(", or {} on each of {} nodes",
                                   size_text(room.features / room.nodes), room.nodes)
                     : std::string(),
      size_text(std::min(room.free_for_all, room.free_for_part)));
  if (wanted == Placement::automatic && fits_job) {
    return {Placement::job, need};
  }
  if (wanted == Placement::automatic && !settings.scratch.empty()) {
    return {Placement::disk, need};
  }
  throw InputError(need + "; use --placement disk --scratch DIR" +
                   (wanted == Placement::node && fits_job
                        ? " or --placement job"
                        : ", or more nodes with --placement job"));
}

PlacementChoice choose_placement(const DataSettings& settings, const RankGrid& grid,
                                 const FeatureMemory& read) {
  const Communicator& world = grid.world();
  PlacementRoom room;
  room.nodes = grid.nodes();
  room.features = world.all_reduce<std::uint64_t>(read.bytes, Reduction::max);
  const std::uint64_t free = std::min<std::uint64_t>(available_memory(), PlacementRoom::unlimited);
  const bool is_alone = grid.node().size() == 1;
  room.free_for_all = world.all_reduce<std::uint64_t>(
      is_alone && read.has_all ? PlacementRoom::unlimited : free, Reduction::min);
  room.free_for_part = world.all_reduce<std::uint64_t>(
      is_alone && read.has_part ? PlacementRoom::unlimited : free, Reduction::min);
  PlacementChoice choice = agree(world, [&] { return choose_placement(settings, room); });
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
