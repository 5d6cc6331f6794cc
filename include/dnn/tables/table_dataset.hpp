#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "dnn/data/dataset.hpp"
#include "dnn/tables/read_options.hpp"
#include "dnn/tables/table_cells.hpp"

namespace dnn {

/// Where the parts of a data set lie among the columns of a table that was read.
struct TableSources {
  std::vector<std::size_t> columns;  ///< for each feature column of the schema, the table's column
  std::size_t label = Dataset::none;
  std::vector<std::size_t> targets;  ///< tasks with target rows, instead of a label; or empty
  std::size_t weight = Dataset::none;
};

/// Makes the data set of a table: raw rows (see Note [Raw rows of a table]) in the smallest type
/// that holds them, and the labels. Values that the schema's categories lack become -1. Throws
/// InputError for rows without a label, unless the options leave them out, for weights that are
/// all 0, and for targets that the schema's task does not have.
[[nodiscard]] Dataset make_dataset(TableCells cells, const std::string& origin, TableSchema schema,
                                   const TableSources& sources, const ReadOptions& options);

}  // namespace dnn
