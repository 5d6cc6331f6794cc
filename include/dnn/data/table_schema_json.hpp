#pragma once

// A table's schema as JSON, for run.json and summary.json, and as bytes, for models.

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "dnn/data/table_schema.hpp"

namespace dnn {

[[nodiscard]] nlohmann::ordered_json to_json(const TableSchema& schema);
/// The inverse. Throws InputError, naming `origin`, for JSON that no schema was written as.
[[nodiscard]] TableSchema schema_from_json(const nlohmann::ordered_json& json,
                                           const std::string& origin);
/// The same as bytes (MessagePack). An empty text is an empty schema.
[[nodiscard]] std::string to_text(const TableSchema& schema);
[[nodiscard]] TableSchema schema_from_text(const std::string& text, const std::string& origin);

}  // namespace dnn
