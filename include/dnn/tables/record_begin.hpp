#pragma once

#include <cstddef>

#include "dnn/tables/table_layout.hpp"

namespace dnn {

/// Where the first record probably begins at or behind `offset`, which is not 0, in the rows of a
/// table of `columns` columns: a line's beginning.
///
/// Note [Guessing where a record begins]
/// A line may begin within a quoted field. Whether it does follows from all quotes before it, which
/// others read at the same time. But the lines of such a field seldom have as many cells as the
/// table has columns. So the next line is taken if the first records from there on have; else the
/// next field's end is taken for that of a quoted one, and what follows is looked at likewise.
/// Nothing depends on it but how often a piece of the text is read twice.
[[nodiscard]] std::size_t probable_record_begin(const TableLayout& layout, std::size_t columns,
                                                std::size_t offset);

}  // namespace dnn
