#pragma once

// What reading a training table and reading one that has to match it have in common.

#include <optional>
#include <string>
#include <vector>

#include "dnn/tables/column_kinds.hpp"
#include "dnn/tables/read_options.hpp"
#include "dnn/tables/table_cells.hpp"
#include "dnn/tables/table_layout.hpp"

namespace dnn {

/// Takes an incomplete last record off the rows of its part, with a note; false where there is
/// none.
bool leave_out(const std::optional<RecordPlace>& cut_off, std::vector<TableLayout>& parts);

/// What the layouts of all parts have to say.
[[nodiscard]] std::vector<std::string> notes_of(const std::vector<TableLayout>& parts);

/// Throws InputError for the first cell among numbers that is infinite or too large. `names`: of
/// the columns.
void check_finite(const TableCells& cells, const std::vector<std::string>& names);

/// The words that stand for a missing value by the options: their own, those of the schema, or the
/// usual ones.
[[nodiscard]] std::vector<std::string> missing_words(const ReadOptions& options);

/// The columns of the targets of a task with target rows as far as names and options tell; none:
/// they do not.
[[nodiscard]] std::vector<std::size_t> named_targets(
    const TableLayout& layout, const std::string& origin, const ReadOptions& options,
    const std::vector<std::optional<AskedKind>>& asked);

/// The label's column as far as names and options tell. `asked`: what --columns says of each
/// column, or empty.
[[nodiscard]] std::optional<std::size_t> named_label(
    const TableLayout& layout, const std::string& origin, const ReadOptions& options,
    const std::vector<std::optional<AskedKind>>& asked);

}  // namespace dnn
