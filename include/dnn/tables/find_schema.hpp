#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "dnn/data/table_schema.hpp"
#include "dnn/tables/column_kinds.hpp"
#include "dnn/tables/table_cells.hpp"
#include "dnn/tables/table_layout.hpp"

namespace dnn {

/// The schema of a table whose cells have been read.
struct SchemaRequest {
  const TableCells& cells;
  const TableLayout& layout;
  std::span<const ColumnMode> modes;
  std::span<const std::optional<AskedKind>> asked;
  std::span<const std::size_t> labels;  ///< the label's column, or those of the targets
  std::size_t max_categories;
};
[[nodiscard]] TableSchema find_schema(const SchemaRequest& request);

}  // namespace dnn
