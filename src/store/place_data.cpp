#include "dnn/store/place_data.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdint>
#include <string>
#include <utility>

#include "dnn/comm/collective_error.hpp"
#include "dnn/readers/data_source.hpp"
#include "dnn/store/disk_cache.hpp"
#include "dnn/store/read_parts.hpp"
#include "dnn/store/shared_dataset.hpp"

namespace dnn {

namespace {

/// What the parts follow from; empty where that cannot be known before they are read.
std::string identity_of_parts(const DataSettings& settings, bool wide) {
  const std::string train = DataSource::identity_of(settings.data);
  const std::string test =
      settings.test_data.empty() ? "none" : DataSource::identity_of(settings.test_data);
  if (train.empty() || test.empty()) {
    return {};
  }
  const std::string options = fmt::format("{} {} {} {} {}", static_cast<int>(settings.task),
                                          static_cast<int>(settings.csv_header),
                                          settings.max_categories, settings.drop_unlabelled, wide);
  return fmt::format(
      "{}", fmt::join({train, test, options, settings.label_column, settings.label_separator,
                       settings.weight_column, settings.columns, settings.missing},
                      "\n\n"));
}

/// The parts as a file of the node's disk has them; what `read` gives is written first if there is
/// no such file.
template <class Read>
DataParts parts_on_disk(const DataSettings& settings, bool wide, Read&& read) {
  DiskCache cache(settings.scratch, identity_of_parts(settings, wide));
  TemporaryName file_to_remove(cache.is_found_again() ? std::string() : cache.path());
  DiskCache::Parts parts = cache.find_or_make([&] {
    DataParts made = read();
    return DiskCache::Parts{std::move(made.train), {}, std::move(made.test), {}};
  });
  return {.train = std::move(parts.train),
          .test = std::move(parts.test),
          .train_digest = std::move(parts.train_digest),
          .test_digest = std::move(parts.test_digest),
          .file_to_remove = std::move(file_to_remove)};
}

FeatureMemory memory_of(const DataParts& parts) {
  FeatureMemory memory{.has_all = true, .has_part = true};
  for (const Dataset* data : {&parts.train, parts.test ? &*parts.test : nullptr}) {
    if (data != nullptr) {
      memory.bytes += feature_bytes(*data);
      memory.has_all = memory.has_all && !data->held && !data->in_spare_memory;
      memory.has_part = memory.has_part && data->held && !data->in_spare_memory;
    }
  }
  return memory;
}

struct PlacedData {
  Dataset data;
  DataDigest digest;
  std::shared_ptr<const HeldRows> held;
};

/// What a node's leader has read; nothing on other ranks.
struct ReadPart {
  std::optional<Dataset> data = {};
  DataDigest digest = {};   ///< of Placement::disk
  bool same_files = false;  ///< all nodes have read files that all of them see
};

/// Collective over `ranks`: the digest that their first has.
DataDigest digest_of_leader(const Communicator& ranks, const DataDigest& digest) {
  return {ranks.broadcast(digest.description, 0), ranks.broadcast(digest.labels, 0),
          ranks.broadcast(digest.features, 0)};
}

/// Collective over the grid's world: shares what each node's leader has read, and checks that all
/// nodes have read the same.
PlacedData place(const RankGrid& grid, ReadPart part, Placement placement) {
  const Communicator& world = grid.world();
  Node& node = grid.node();
  std::optional<Dataset>& read_by_leader = part.data;
  PlacedData placed;
  if (placement != Placement::job) {
    placed.data = share_dataset(world, node, std::move(read_by_leader), grid.has_split_nodes());
    placed.digest = placement == Placement::disk ? digest_of_leader(node.ranks(), part.digest)
                                                 : digest_of(node.ranks(), placed.data);
    check_same_everywhere(world, node.ranks(), placed.digest, placed.data.origin);
    return placed;
  }
  const bool has_all = read_by_leader && !read_by_leader->held;
  if (world.all_reduce<std::int64_t>(has_all ? 1 : 0, Reduction::max) != 0) {
    // Each node keeps labels and such of what it has read itself.
    const DataDigest own = agree(
        world,
        [&] {
          return !read_by_leader   ? DataDigest()
                 : part.same_files ? digest_without_features(*read_by_leader)
                                   : digest_of(*read_by_leader);
        },
        Waiting::asleep);
    check_same_everywhere(world, node.ranks(), own,
                          read_by_leader ? read_by_leader->origin : std::string());
    agree(world, [&] {
      if (read_by_leader) {
        keep_rows(*read_by_leader, part_of_node(grid, read_by_leader->samples));
      }
    });
  }
  placed.data = share_dataset(world, node, std::move(read_by_leader), grid.has_split_nodes(),
                              HeldFeatures::kept);
  placed.held = std::make_shared<const HeldRows>(grid, *placed.data.held);
  placed.digest = digest_of(*placed.held, placed.data);
  return placed;
}

/// Collective over the grid's world: what leaders have read, and the placement in `choice`.
std::optional<DataParts> read(const DataSettings& settings, bool wide, std::size_t threads,
                              const RankGrid& grid, PlacementChoice& choice) {
  const Communicator& world = grid.world();
  const bool to_disk = settings.placement == Placement::disk;
  std::optional<DataParts> parts =
      to_disk ? read_on_each_leader(settings, threads, grid,
                                    [&] {
                                      return parts_on_disk(settings, wide, [&] {
                                        return read_alone(settings, wide);
                                      });
                                    })
              : read_on_leaders(settings, wide, threads, grid);
  choice = choose_placement(settings, grid, parts ? memory_of(*parts) : FeatureMemory());
  if (choice.placement == Placement::disk && !to_disk) {
    DataSettings on_disk = settings;
    on_disk.placement = Placement::disk;
    parts = read_on_each_leader(settings, threads, grid, [&] {
      return parts_on_disk(settings, wide, [&] {
        if (parts->train.held || (parts->test && parts->test->held)) {
          parts.reset();  // all of them are read into files
          return read_alone(on_disk, wide);
        }
        return std::move(*parts);
      });
    });
  }
  if (choice.placement == Placement::disk) {
    choice.file = world.broadcast(parts ? parts->train.values.mapped_path : std::string(), 0);
  }
  return parts;
}

}  // namespace

SharedParts read_and_place(const DataSettings& settings, bool wide, std::size_t threads,
                           const RankGrid& grid) {
  SharedParts shared;
  std::optional<DataParts> parts = read(settings, wide, threads, grid, shared.placement);
  const bool has_test =
      grid.world().all_reduce<std::int64_t>(parts && parts->test ? 1 : 0, Reduction::max) != 0;
  const Placement placement = shared.placement.placement;
  PlacedData train =
      place(grid,
            parts ? ReadPart{std::move(parts->train), parts->train_digest, parts->same_train_files}
                  : ReadPart(),
            placement);
  shared.train = std::move(train.data);
  shared.digest = std::move(train.digest);
  shared.held = std::move(train.held);
  if (has_test) {
    PlacedData test =
        place(grid,
              parts ? ReadPart{std::move(parts->test), parts->test_digest, parts->same_test_files}
                    : ReadPart(),
              placement);
    shared.test = std::move(test.data);
    shared.test_digest = std::move(test.digest);
    shared.held_test = std::move(test.held);
  }
  return shared;
}

}  // namespace dnn
