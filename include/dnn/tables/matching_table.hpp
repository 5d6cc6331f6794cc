#pragma once

#include <string>
#include <vector>

#include "dnn/data/dataset.hpp"
#include "dnn/tables/read_options.hpp"
#include "dnn/tables/table_layout.hpp"

namespace dnn {

/// Reads a table whose columns have to be those of a training table, ReadOptions::schema. `parts`:
/// the layouts of its texts, which have the same columns. Throws InputError for a missing column
/// and a cell of another kind.
[[nodiscard]] Dataset read_matching_table(std::vector<TableLayout> parts, const std::string& origin,
                                          const ReadOptions& options);

}  // namespace dnn
