#pragma once

#include <string>
#include <vector>

#include "dnn/tables/table_dataset.hpp"
#include "dnn/tables/table_layout.hpp"

namespace dnn {

/// Which columns of a table are those of a training table.
struct ColumnMatch {
  TableSources sources;
  std::vector<std::string> notes;
};

/// Matches the columns of a table to `schema`: by name where both have a header, in any order,
/// extra columns aside; else by place, where the label's and the weight's columns may be absent.
/// A model's data (ReadOptions::features) have no use for weights.
/// ReadOptions::label_column (if not empty) names the label's column. Throws InputError where a
/// feature's column is missing.
[[nodiscard]] ColumnMatch match_columns(const TableLayout& layout, const TableSchema& schema,
                                        const ReadOptions& options, const std::string& origin);

}  // namespace dnn
