#pragma once

#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dnn/data/reading_team.hpp"
#include "dnn/tables/table_chunk.hpp"
#include "dnn/tables/table_segment.hpp"

namespace dnn {

/// The cells of a table, in memory, as numbers: a number as itself, a date in seconds, a text as
/// its number in the column's TextIndex, a missing value as NaN. Where a team reads the table, each
/// member has the cells of some rows; what is known of the columns is of all rows, and the same as
/// if one process had read them. See Note [Chunks].
class TableCells {
 public:
  /// Which rows are read, by whom, and what is kept of them.
  struct Extent {
    std::size_t most_rows = std::numeric_limits<std::size_t>::max();
    std::size_t most_bytes = std::numeric_limits<std::size_t>::max();  ///< in whole chunks
    TablePlace from = {};
    bool keeps_rows = true;     ///< else only what is known of the columns
    ReadingTeam team = {};      ///< of a whole table only
    ScratchMemory memory = {};  ///< where cells are stored
  };

  /// Reads the rows of `parts`, which have the same columns, or an extent of them. Throws
  /// InputError, with line and column, for a record of another length than the table's, one that
  /// repeats the header, and a weight that is missing or negative. Collective over the team.
  TableCells(std::span<const TableLayout> parts, std::span<const ColumnMode> modes,
             const MissingWords& missing, std::size_t chunk_bytes);
  TableCells(std::span<const TableLayout> parts, std::span<const ColumnMode> modes,
             const MissingWords& missing, std::size_t chunk_bytes, const Extent& extent);

  /// The rows of all members.
  [[nodiscard]] std::size_t rows() const { return rows_; }
  /// How many rows the members before have.
  [[nodiscard]] std::size_t first_row() const { return first_row_; }
  [[nodiscard]] const ReadingTeam& team() const { return team_; }
  [[nodiscard]] const std::vector<ColumnCells>& columns() const { return read_.columns; }
  /// "table.csv: line 7".
  [[nodiscard]] std::string text_of(const TableLine& line) const;
  /// The part of the table whose text ends within a record, and where that begins in its rows.
  /// Reading ended there: the cells are not to be used.
  [[nodiscard]] const std::optional<RecordPlace>& cut_off() const { return read_.cut_off; }
  /// Where the rows begin that the extent left out; nothing: it ended with the table. Part, offset
  /// and line only.
  [[nodiscard]] const std::optional<TablePlace>& next() const { return end_; }

  /// This member's rows, each columns().size() long.
  [[nodiscard]] const std::vector<CellBlock>& blocks() const { return read_.blocks; }
  /// Frees the memory of a block, which has no rows from then on.
  void free_block(std::size_t block) { read_.blocks[block].clear(); }
  /// Calls `visit(first_row, rows)` for each block; rows are counted from this member's first.
  template <class Visitor>
  void for_each_block(Visitor&& visit) const {
    std::size_t first = 0;
    std::vector<double> room;
    for (const CellBlock& block : read_.blocks) {
      visit(first, block.unpack(room));
      first += block.rows();
    }
  }

 private:
  [[nodiscard]] std::vector<TableCut> cut(std::size_t chunk_bytes, const Extent& extent) const;

  std::span<const TableLayout> parts_;
  std::span<const ColumnMode> modes_;
  const MissingWords& missing_;
  ReadingTeam team_;
  TableSegment read_;
  std::size_t rows_ = 0;
  std::size_t first_row_ = 0;
  std::optional<TablePlace> end_;
};

}  // namespace dnn
