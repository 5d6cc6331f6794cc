#pragma once

#include <cstddef>
#include <vector>

#include "dnn/tables/cell.hpp"
#include "dnn/tables/read_options.hpp"
#include "dnn/tables/table_chunk.hpp"
#include "dnn/tables/table_layout.hpp"

namespace dnn {

/// Whether the dates of a column, like 03/04/2024, fit the order of day and month that `modes` do
/// not have as well, and would be other days. Collective over the options' team.
[[nodiscard]] bool fit_both_orders(const std::vector<TableLayout>& parts,
                                   const std::vector<ColumnMode>& modes, std::size_t column,
                                   const MissingWords& missing, const ReadOptions& options);

}  // namespace dnn
