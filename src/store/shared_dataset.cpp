#include "dnn/store/shared_dataset.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "dnn/comm/collective_error.hpp"
#include "dnn/comm/numa_domain.hpp"
#include "dnn/core/available_memory.hpp"
#include "dnn/core/copy_bytes.hpp"
#include "dnn/core/error.hpp"
#include "dnn/data/mapped_access.hpp"
#include "dnn/store/dataset_description.hpp"
#include "dnn/store/held_rows.hpp"

namespace dnn {

namespace {

using nlohmann::json;

/// Everything about a data set but its bytes: of arrays that are in a file, which.
std::string describe(const Dataset& data) {
  json description = describe_dataset(data);
  for (const auto array : arrays_of_dataset()) {
    const Bytes& bytes = data.*array;
    description["blocks"].push_back(
        {{"path", bytes.mapped_path}, {"offset", bytes.mapped_offset}, {"size", bytes.size()}});
  }
  const auto packed = json::to_msgpack(description);
  return {packed.begin(), packed.end()};
}

/// The arrays of which a leader has a part where nodes share out the features.
constexpr Bytes Dataset::*held_blocks[] = {&Dataset::values, &Dataset::value_columns};

bool is_of_features(Bytes Dataset::*array) {
  return std::find(std::begin(held_blocks), std::end(held_blocks), array) != std::end(held_blocks);
}

/// Moves an array. The memory of features, if nobody else has it, is given back piece by piece;
/// that of others is not: MPI may keep the addresses of what was sent, as labels may have been.
void move_bytes(Bytes& from, std::span<std::byte> to, bool are_features) {
  constexpr std::size_t at_a_time = std::size_t{16} << 20;
  const bool is_own = are_features && from.owner.use_count() == 1;
  for (std::size_t begin = 0; begin < to.size(); begin += at_a_time) {
    const auto some = from.view.subspan(begin, std::min(at_a_time, to.size() - begin));
    copy_bytes(to.data() + begin, some.data(), some.size());
    if (is_own) {
      discard(some);
    }
  }
  from = {};
}

/// Collective over `world`: such an array, complete, in the memory of each node, of which each
/// leader gives its `part`.
Bytes complete_array(const Communicator& world, const Communicator& leaders, Node& node,
                     Bytes* part, const std::string& origin, bool interleaved) {
  std::vector<std::uint64_t> sizes;  // of the leaders' parts
  std::uint64_t whole = 0;
  if (node.is_leader()) {
    const std::uint64_t own = part->size();
    sizes.resize(static_cast<std::size_t>(leaders.size()));
    leaders.all_gather(std::as_bytes(std::span(&own, 1)), std::as_writable_bytes(std::span(sizes)));
    whole = std::accumulate(sizes.begin(), sizes.end(), std::uint64_t{0});
  }
  node.ranks().broadcast(std::as_writable_bytes(std::span(&whole, 1)), 0);
  if (whole == 0) {
    return {};
  }
  std::shared_ptr<std::byte[]> own;  // nobody shares the memory of a rank alone on its node
  const std::span<std::byte> shared = agree(world, [&] {
    if (node.size() > 1) {
      return node.allocate_shared(whole, origin);
    }
    require_memory(whole, origin);
    own = std::make_shared_for_overwrite<std::byte[]>(whole);
    return std::span(own.get(), whole);
  });
  const Bytes complete{shared, own, {}, 0};
  if (!node.is_leader()) {
    return complete;
  }
  if (interleaved) {
    interleave(shared);
  }
  std::uint64_t begin = 0;
  for (int leader = 0; leader < leaders.size(); ++leader) {
    const std::span<std::byte> theirs =
        shared.subspan(begin, sizes[static_cast<std::size_t>(leader)]);
    if (leader == leaders.rank()) {
      move_bytes(*part, theirs, true);
    }
    begin += theirs.size();
  }
  begin = 0;
  for (int leader = 0; leader < leaders.size(); ++leader) {
    const std::uint64_t size = sizes[static_cast<std::size_t>(leader)];
    leaders.broadcast(shared.subspan(begin, size), leader);
    begin += size;
  }
  return complete;
}

}  // namespace

void keep_rows(Dataset& data, Range held) {
  const RowUnits units(data);
  const auto keep = [&](Bytes& array, std::size_t size) {
    const std::size_t first = units.before(held.begin) * size;
    const std::size_t count = units.before(held.end) * size - first;
    const auto part = array.view.subspan(first, count);
    array = data.in_spare_memory ? array.part(first, count)  // share_dataset takes it into memory
                                 : Bytes::from(std::vector<std::byte>(part.begin(), part.end()));
  };
  keep(data.values, units.value_bytes());
  keep(data.value_columns, units.column_bytes());
  data.held = held;
}

Dataset share_dataset(const Communicator& world, Node& node, std::optional<Dataset> read_by_leader,
                      bool interleaved, HeldFeatures held) {
  const std::string text =
      node.ranks().broadcast(node.is_leader() ? describe(*read_by_leader) : std::string(), 0);
  const json description = json::from_msgpack(text);
  Dataset data = dataset_of(description);
  const auto& blocks = arrays_of_dataset();
  const bool is_held = data.held && held == HeldFeatures::completed;
  if (is_held) {
    data.held.reset();
    const Communicator leaders = world.split(node.is_leader() ? 0 : 1);
    for (const auto block : held_blocks) {
      data.*block = complete_array(world, leaders, node,
                                   node.is_leader() ? &((*read_by_leader).*block) : nullptr,
                                   data.origin, interleaved);
    }
  }
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const json& block = description["blocks"][i];
    const std::size_t size = block["size"];
    const bool is_complete = is_held && is_of_features(blocks[i]);
    if (!block["path"].get<std::string>().empty() || size == 0 || is_complete) {
      continue;
    }
    if (node.size() == 1 && !read_by_leader->in_spare_memory) {
      data.*blocks[i] = std::move((*read_by_leader).*blocks[i]);
      continue;
    }
    const std::span<std::byte> shared = node.allocate_shared(size, data.origin);
    if (node.is_leader()) {
      if (interleaved) {
        interleave(shared);
      }
      move_bytes((*read_by_leader).*blocks[i], shared, is_of_features(blocks[i]));
    }
    data.*blocks[i] = {shared, nullptr, {}, 0};
  }
  node.synchronize();
  agree(world, [&] {
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      const json& block = description["blocks"][i];
      const std::string path = block["path"];
      if (!path.empty()) {
        data.*blocks[i] = map_file(path, block["offset"], block["size"]);
      }
    }
  });
  return data;
}

}  // namespace dnn
