#include "dnn/store/shared_dataset.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <nlohmann/json.hpp>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "dnn/comm/collective_error.hpp"
#include "dnn/comm/numa_domain.hpp"
#include "dnn/core/copy_bytes.hpp"
#include "dnn/core/error.hpp"
#include "dnn/data/mapped_access.hpp"
#include "dnn/data/table_schema_json.hpp"

namespace dnn {

namespace {

using nlohmann::json;

constexpr Bytes Dataset::*blocks[] = {
    &Dataset::values,      &Dataset::row_offsets, &Dataset::value_columns, &Dataset::labels,
    &Dataset::target_rows, &Dataset::weights,     &Dataset::kept_offsets,  &Dataset::kept_text};

/// Everything about a data set but its bytes.
std::string describe(const Dataset& data) {
  json description = {{"origin", data.origin},
                      {"samples", data.samples},
                      {"features", data.features},
                      {"element", static_cast<int>(data.element)},
                      {"row_elements", data.row_elements},
                      {"omitted_column", data.omitted_column},
                      {"index_base", data.index_base},
                      {"task", static_cast<int>(data.task)},
                      {"class_names", data.class_names},
                      {"feature_names", data.feature_names},
                      {"schema", to_json(data.schema)},
                      {"kept_names", data.kept_names},
                      {"has_missing", data.has_missing},
                      {"notes", data.notes},
                      {"is_held", data.held.has_value()},
                      {"first_sample", data.first_sample},
                      {"blocks", json::array()}};
  for (const auto block : blocks) {
    const Bytes& bytes = data.*block;
    description["blocks"].push_back(
        {{"path", bytes.mapped_path}, {"offset", bytes.mapped_offset}, {"size", bytes.size()}});
  }
  const auto packed = json::to_msgpack(description);  // unlike dump(), takes names of any bytes
  return {packed.begin(), packed.end()};
}

Dataset from_description(const json& description) {
  Dataset data;
  data.origin = description["origin"];
  data.samples = description["samples"];
  data.features = description["features"];
  data.element = static_cast<ElementType>(description["element"].get<int>());
  data.row_elements = description["row_elements"];
  data.omitted_column = description["omitted_column"];
  data.index_base = description["index_base"];
  data.task = static_cast<Task>(description["task"].get<int>());
  data.class_names = description["class_names"].get<std::vector<std::string>>();
  data.feature_names = description["feature_names"].get<std::vector<std::string>>();
  data.schema = schema_from_json(description["schema"], data.origin);
  data.kept_names = description["kept_names"].get<std::vector<std::string>>();
  data.has_missing = description["has_missing"];
  data.notes = description["notes"].get<std::vector<std::string>>();
  data.first_sample = description["first_sample"];
  return data;
}

/// Moves bytes, whose memory nobody else has, and gives it back piece by piece.
void move_bytes(Bytes& from, std::span<std::byte> to) {
  constexpr std::size_t piece = std::size_t{64} << 20;
  const bool is_own = from.owner.use_count() == 1;
  for (std::size_t begin = 0; begin < to.size(); begin += piece) {
    const auto some = from.view.subspan(begin, std::min(piece, to.size() - begin));
    copy_bytes(to.data() + begin, some.data(), some.size());
    if (is_own) {
      discard(some);
    }
  }
  from = {};
}

/// The arrays of which a leader has a part where nodes share out the features.
constexpr Bytes Dataset::*held_blocks[] = {&Dataset::values, &Dataset::value_columns};

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
  const std::span<std::byte> shared =
      agree(world, [&] { return node.allocate_shared(whole, origin); });
  if (!node.is_leader()) {
    return {shared, nullptr, {}, 0};
  }
  if (interleaved) {
    interleave(shared);
  }
  std::uint64_t begin = 0;
  for (int leader = 0; leader < leaders.size(); ++leader) {
    const std::span<std::byte> theirs =
        shared.subspan(begin, sizes[static_cast<std::size_t>(leader)]);
    if (leader == leaders.rank()) {
      move_bytes(*part, theirs);
    }
    begin += theirs.size();
  }
  begin = 0;
  for (int leader = 0; leader < leaders.size(); ++leader) {
    const std::uint64_t size = sizes[static_cast<std::size_t>(leader)];
    leaders.broadcast(shared.subspan(begin, size), leader);
    begin += size;
  }
  return {shared, nullptr, {}, 0};
}

}  // namespace

Dataset share_dataset(const Communicator& world, Node& node, std::optional<Dataset> read_by_leader,
                      bool interleaved) {
  const std::string text =
      node.ranks().broadcast(node.is_leader() ? describe(*read_by_leader) : std::string(), 0);
  const json description = json::from_msgpack(text);
  Dataset data = from_description(description);
  const bool is_held = description["is_held"];
  if (is_held) {
    const Communicator leaders = world.split(node.is_leader() ? 0 : 1);
    for (const auto block : held_blocks) {
      data.*block = complete_array(world, leaders, node,
                                   node.is_leader() ? &((*read_by_leader).*block) : nullptr,
                                   data.origin, interleaved);
    }
  }
  for (std::size_t i = 0; i < std::size(blocks); ++i) {
    const json& block = description["blocks"][i];
    const std::size_t size = block["size"];
    const bool is_complete = is_held && std::find(std::begin(held_blocks), std::end(held_blocks),
                                                  blocks[i]) != std::end(held_blocks);
    if (!block["path"].get<std::string>().empty() || size == 0 || is_complete) {
      continue;
    }
    if (node.size() == 1) {
      data.*blocks[i] = std::move((*read_by_leader).*blocks[i]);
      continue;
    }
    const std::span<std::byte> shared = node.allocate_shared(size, data.origin);
    if (node.is_leader()) {
      if (interleaved) {
        interleave(shared);
      }
      move_bytes((*read_by_leader).*blocks[i], shared);
    }
    data.*blocks[i] = {shared, nullptr, {}, 0};
  }
  node.synchronize();
  agree(world, [&] {
    for (std::size_t i = 0; i < std::size(blocks); ++i) {
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
