#include "dnn/store/shared_dataset.hpp"

#include <cstring>
#include <nlohmann/json.hpp>
#include <string>

#include "dnn/comm/collective_error.hpp"
#include "dnn/comm/numa_domain.hpp"
#include "dnn/core/error.hpp"
#include "dnn/store/dataset_description.hpp"
#include "dnn/store/held_rows.hpp"

namespace dnn {

namespace {

using nlohmann::json;

/// Everything about a data set but its bytes: of arrays that lie in a file, which.
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

}  // namespace

void keep_rows(Dataset& data, Range held) {
  const RowUnits units(data);
  const auto keep = [&](Bytes& array, std::size_t size) {
    const auto part =
        array.view.subspan(units.before(held.begin) * size,
                           (units.before(held.end) - units.before(held.begin)) * size);
    array = Bytes::from(std::vector<std::byte>(part.begin(), part.end()));
  };
  keep(data.values, units.value_bytes());
  keep(data.value_columns, units.column_bytes());
  data.held = held;
}

Dataset share_dataset(const Communicator& world, Node& node, std::optional<Dataset> read_by_leader,
                      bool interleaved) {
  const std::string text =
      node.ranks().broadcast(node.is_leader() ? describe(*read_by_leader) : std::string(), 0);
  const json description = json::from_msgpack(text);
  Dataset data = dataset_of(description);
  const auto& blocks = arrays_of_dataset();
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const json& block = description["blocks"][i];
    const std::size_t size = block["size"];
    if (!block["path"].get<std::string>().empty() || size == 0) {
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
      Bytes& own = (*read_by_leader).*blocks[i];
      std::memcpy(shared.data(), own.view.data(), size);
      own = {};
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
