#pragma once

#include <cstddef>
#include <span>

#include "dnn/data/reading_team.hpp"
#include "dnn/tables/table_segment.hpp"

namespace dnn {

/// What a member of a team has of a table.
struct TeamSegment {
  TableSegment own;           ///< with the columns of the whole table
  std::size_t first_row = 0;  ///< how many rows the members before have
  std::size_t rows = 0;       ///< of the whole table
};

/// Collective over `team`: reads the chunks `cuts` of a table, some of them as this member's
/// segment. Columns, error and cut-off record are the same on all members, as if one process had
/// read the table. Throws InputError, on all members, for what is wrong with the table.
///
/// Note [A table read by a team]
/// Each member reads a segment of equally many bytes. Where its first record begins it guesses
/// (Note [Guessing where a record begins]), and its lines count from there. Then all compare where
/// each segment ended with where the next one began: a member that guessed wrong reads its segment
/// again, and lines get their numbers by a sum over the members before. Texts are numbered in the
/// order in which they appear in the table; an error is the table's first.
[[nodiscard]] TeamSegment read_in_team(std::span<const TableCut> cuts,
                                       std::span<const ColumnMode> modes, bool keeps_rows,
                                       const ReadingTeam& team);

}  // namespace dnn
