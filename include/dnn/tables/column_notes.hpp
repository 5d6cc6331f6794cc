#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "dnn/data/table_schema.hpp"
#include "dnn/tables/table_cells.hpp"

namespace dnn {

/// The first cell of a column that is no number. The column began as one of numbers.
struct FirstWord {
  std::string text;
  TableLine place;  ///< line 0: there is no such cell
};

/// What notes on the columns of a training table are made of.
struct ColumnNotesRequest {
  const TableCells& cells;
  const TableSchema& schema;
  std::span<const TableLayout> parts;
  std::span<const FirstWord> first_words;  ///< of all columns
  const MissingWords& missing;
  const std::string& origin;  ///< names the table
  std::size_t chunk_bytes;    ///< see ReadOptions
};

/// Notes on columns of text that are left out as identifiers, and on words among numbers that count
/// as missing values. A note is a line on one column. Columns that are mostly numbers come first,
/// and all columns above a handful share one line.
[[nodiscard]] std::vector<std::string> column_notes(const ColumnNotesRequest& request);

}  // namespace dnn
