#pragma once

#include <cstddef>
#include <string>

#include "dnn/data/table_schema.hpp"
#include "dnn/tables/read_options.hpp"
#include "dnn/tables/table_cells.hpp"

namespace dnn {

/// The column of a training table that is the label, read as text.
struct FoundLabel {
  const TableCells& cells;
  std::size_t column = 0;
  const std::string& name;
  const std::string& origin;  ///< of the table, for messages
};

/// Throws InputError for numbers that may be classes as well as numbers.
void check_classes(const FoundLabel& label);

/// Throws InputError where a label that nobody has named, and that was chosen because it is `why`,
/// cannot be one. `schema`: with the columns that may be the label instead.
void check_guess(const FoundLabel& label, const std::string& why, const TableSchema& schema,
                 const ReadOptions& options);

}  // namespace dnn
