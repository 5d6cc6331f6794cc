#include "dnn/store/dataset_description.hpp"

#include <nlohmann/json.hpp>
#include <string>

#include "dnn/data/table_schema_json.hpp"

namespace dnn {

using nlohmann::json;

const std::vector<Bytes Dataset::*>& arrays_of_dataset() {
  static const std::vector<Bytes Dataset::*> arrays = {
      &Dataset::values,      &Dataset::row_offsets, &Dataset::value_columns, &Dataset::labels,
      &Dataset::target_rows, &Dataset::weights,     &Dataset::kept_offsets,  &Dataset::kept_text};
  return arrays;
}

json describe_dataset(const Dataset& data) {
  return {{"origin", data.origin},
          {"samples", data.samples},
          {"features", data.features},
          {"element", static_cast<int>(data.element)},
          {"row_elements", data.row_elements},
          {"omitted_column", data.omitted_column},
          {"index_base", data.index_base},
          {"held_begin", data.held.value_or(Range{}).begin},
          {"held_end", data.held.value_or(Range{}).end},
          {"is_held", data.held.has_value()},
          {"task", static_cast<int>(data.task)},
          {"class_names", data.class_names},
          {"feature_names", data.feature_names},
          {"schema", to_json(data.schema)},
          {"kept_names", data.kept_names},
          {"has_missing", data.has_missing},
          {"notes", data.notes},
          {"first_sample", data.first_sample}};
}

Dataset dataset_of(const json& description) {
  Dataset data;
  data.origin = description["origin"];
  data.samples = description["samples"];
  data.features = description["features"];
  data.element = static_cast<ElementType>(description["element"].get<int>());
  data.row_elements = description["row_elements"];
  data.omitted_column = description["omitted_column"];
  data.index_base = description["index_base"];
  if (description["is_held"]) {
    data.held = Range{description["held_begin"], description["held_end"]};
  }
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

}  // namespace dnn
