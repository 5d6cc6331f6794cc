#include "dnn/tables/date_orders.hpp"

#include <cmath>
#include <limits>
#include <span>

#include "dnn/tables/table_cells.hpp"

namespace dnn {

namespace {

/// The values of a column, for comparing: what is missing is the largest.
std::vector<double> values_of(const TableCells& cells, std::size_t column) {
  std::vector<double> values;
  cells.for_each_block([&](std::size_t, std::span<const double> block) {
    for (std::size_t at = column; at < block.size(); at += cells.columns().size()) {
      values.push_back(std::isnan(block[at]) ? std::numeric_limits<double>::max() : block[at]);
    }
  });
  return values;
}

}  // namespace

bool fit_both_orders(const std::vector<TableLayout>& parts, const std::vector<ColumnMode>& modes,
                     std::size_t column, const MissingWords& missing, const ReadOptions& options) {
  constexpr std::size_t sample = 200;
  std::vector<ColumnMode> own(modes.size(), ColumnMode{CellMode::skip, false, false});
  own[column].mode = modes[column].mode;
  std::vector<ColumnMode> other = own;
  other[column].mode = own[column].mode == CellMode::month_first_date ? CellMode::day_first_date
                                                                      : CellMode::month_first_date;
  // The order of 2024-04-01 does not matter, as a few rows show.
  const TableCells first_rows(parts, other, missing, options.chunk_bytes, {.most_rows = sample});
  if (first_rows.columns()[column].misfits > 0 ||
      values_of(first_rows, column) ==
          values_of(TableCells(parts, own, missing, options.chunk_bytes, {.most_rows = sample}),
                    column)) {
    return false;
  }
  const TableCells all(parts, other, missing, options.chunk_bytes,
                       {.keeps_rows = false, .team = options.team});
  return all.columns()[column].misfits == 0;
}

}  // namespace dnn
