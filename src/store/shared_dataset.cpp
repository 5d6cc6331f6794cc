#include "dnn/store/shared_dataset.hpp"

#include <cstring>
#include <nlohmann/json.hpp>
#include <string>

#include "dnn/comm/collective_error.hpp"
#include "dnn/comm/numa_domain.hpp"
#include "dnn/core/error.hpp"
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

}  // namespace

Dataset share_dataset(const Communicator& world, Node& node, std::optional<Dataset> read_by_leader,
                      bool interleaved) {
  const std::string text =
      node.ranks().broadcast(node.is_leader() ? describe(*read_by_leader) : std::string(), 0);
  const json description = json::from_msgpack(text);
  Dataset data = from_description(description);
  for (std::size_t i = 0; i < std::size(blocks); ++i) {
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
