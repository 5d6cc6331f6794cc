#include "dnn/data/table_schema_json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "dnn/core/error.hpp"

namespace dnn {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::array kinds = {ColumnKind::number, ColumnKind::category,   ColumnKind::date,
                              ColumnKind::label,  ColumnKind::identifier, ColumnKind::constant,
                              ColumnKind::weight, ColumnKind::ignored};

ColumnKind kind_of(const std::string& word) {
  const auto found = std::find_if(kinds.begin(), kinds.end(),
                                  [&word](ColumnKind kind) { return word == word_for(kind); });
  if (found == kinds.end()) {
    throw InputError("unknown kind of column " + in_quotes(word));
  }
  return *found;
}

Task task_of(const std::string& word) {
  for (const Task task : {Task::classes, Task::labels, Task::numbers, Task::distribution}) {
    if (word == word_for(task)) {
      return task;
    }
  }
  throw InputError("unknown task " + in_quotes(word));
}

// Only what a column has: a table of 50,000 numbers stays short.
Json to_json(const TableColumn& column) {
  Json json = {{"name", column.name}, {"kind", word_for(column.kind)}};
  const auto put = [&json](const char* key, const auto& value, const auto& usual) {
    if (value != usual) {
      json[key] = value;
    }
  };
  put("remark", column.remark, std::string());
  put("missing", column.missing, 0U);
  put("distinct", column.distinct, 0U);
  put("least", column.least, 0.0);
  put("largest", column.largest, 0.0);
  put("missing_words", column.missing_words, std::vector<std::string>());
  put("marks_missing", column.marks_missing, false);
  put("fill", column.fill, 0.0);
  put("categories", column.categories, std::vector<std::string>());
  put("counts", column.counts, std::vector<std::uint64_t>());
  put("other_count", column.other_count, 0U);
  put("has_other", column.has_other, false);
  put("separator", column.separator, std::string());
  put("day_first", column.day_first, false);
  put("hour", column.hour, false);
  put("weekday", column.weekday, false);
  put("month", column.month, false);
  return json;
}

TableColumn column_from_json(const Json& json) {
  TableColumn column;
  column.name = json.at("name").get<std::string>();
  column.kind = kind_of(json.at("kind").get<std::string>());
  const auto take = [&json](const char* key, auto& value) {
    if (const auto found = json.find(key); found != json.end()) {
      found->get_to(value);
    }
  };
  take("remark", column.remark);
  take("missing", column.missing);
  take("distinct", column.distinct);
  take("least", column.least);
  take("largest", column.largest);
  take("missing_words", column.missing_words);
  take("marks_missing", column.marks_missing);
  take("fill", column.fill);
  take("categories", column.categories);
  take("counts", column.counts);
  take("other_count", column.other_count);
  take("has_other", column.has_other);
  take("separator", column.separator);
  take("day_first", column.day_first);
  take("hour", column.hour);
  take("weekday", column.weekday);
  take("month", column.month);
  if (!std::isfinite(column.fill) ||
      (column.kind != ColumnKind::label && !column.separator.empty()) ||
      (column.kind != ColumnKind::category && column.separator.empty() &&
       (!column.categories.empty() || column.has_other)) ||
      (column.kind == ColumnKind::category &&
       !std::is_sorted(column.categories.begin(), column.categories.end()))) {
    throw InputError("column " + in_quotes(column.name) + " contradicts itself");
  }
  return column;
}

}  // namespace

Json to_json(const TableSchema& schema) {
  Json columns = Json::array();
  for (const TableColumn& column : schema.columns) {
    columns.push_back(to_json(column));
  }
  Json json = {{"has_header", schema.has_header},
               {"missing_words", schema.missing_words},
               {"columns", std::move(columns)}};
  if (schema.task != Task::classes) {
    json["task"] = word_for(schema.task);
  }
  return json;
}

TableSchema schema_from_json(const Json& json, const std::string& origin) {
  try {
    TableSchema schema;
    schema.has_header = json.at("has_header").get<bool>();
    json.at("missing_words").get_to(schema.missing_words);
    schema.task = task_of(json.value("task", std::string(word_for(Task::classes))));
    for (const Json& column : json.at("columns")) {
      schema.columns.push_back(column_from_json(column));
    }
    return schema;
  } catch (const std::exception& error) {
    throw InputError(
        fmt::format("{}: the schema of its table cannot be read ({})", origin, error.what()));
  }
}

// MessagePack, which unlike JSON text takes names of any bytes.
std::string to_text(const TableSchema& schema) {
  if (schema.empty()) {
    return {};
  }
  const auto packed = Json::to_msgpack(to_json(schema));
  return {packed.begin(), packed.end()};
}

TableSchema schema_from_text(const std::string& text, const std::string& origin) {
  if (text.empty()) {
    return {};
  }
  return schema_from_json(Json::from_msgpack(text, true, false), origin);
}

}  // namespace dnn
