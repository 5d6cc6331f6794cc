#pragma once

#include <string>
#include <vector>

#include "dnn/data/table_schema.hpp"

namespace dnn {

/// The schema as a table for the screen: a line for each column with its kind, its values, how many
/// are missing, and what becomes of it. Long runs of number columns share a line.
[[nodiscard]] std::vector<std::string> describe(const TableSchema& schema);

}  // namespace dnn
