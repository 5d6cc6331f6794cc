#pragma once

#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dnn/tables/table_chunk.hpp"

namespace dnn {

/// The cells of a table, in memory, as numbers: a number as itself, a date in seconds, a text as
/// its number in the column's TextIndex, a missing value as NaN.
///
/// Note [Chunks]
/// The text is cut every `chunk_bytes`, at line ends, and as many chunks at a time are read as
/// there are threads (set_threads). A line end may lie within a quoted field. So every chunk says
/// where its first record began and where the record after its last one begins; where the two of
/// neighbours differ, or a chunk holds an error, it is read again from where it really begins.
/// Chunks are joined in the order of the text. The cells are therefore the same with any number of
/// threads.
class TableCells {
 public:
  /// Which rows are read, and what is kept of them.
  struct Extent {
    std::size_t most_rows = std::numeric_limits<std::size_t>::max();
    std::size_t most_bytes = std::numeric_limits<std::size_t>::max();  ///< in whole chunks
    TablePlace from;
    bool keeps_rows = true;  ///< else only what is known of the columns
  };

  /// Reads the rows of `parts`, which have the same columns, or an extent of them. Throws
  /// InputError, with line and column, for a record of another length than the table's, a number
  /// that is infinite, and a weight that is missing or negative.
  TableCells(std::span<const TableLayout> parts, std::span<const ColumnMode> modes,
             const MissingWords& missing, std::size_t chunk_bytes);
  TableCells(std::span<const TableLayout> parts, std::span<const ColumnMode> modes,
             const MissingWords& missing, std::size_t chunk_bytes, const Extent& extent);

  [[nodiscard]] std::size_t rows() const { return rows_; }
  [[nodiscard]] const std::vector<ColumnCells>& columns() const { return columns_; }
  /// "table.csv: line 7".
  [[nodiscard]] std::string text_of(const TableLine& line) const;
  /// The part of the table whose text ends within a record, and where that begins in its rows.
  /// Reading ended there: the cells are not to be used.
  struct CutOff {
    std::size_t part;
    std::size_t offset;
  };
  [[nodiscard]] const std::optional<CutOff>& cut_off() const { return cut_off_; }
  /// Where the rows begin that the extent left out; nothing: it ended with the table. Part, offset
  /// and line only.
  [[nodiscard]] const std::optional<TablePlace>& next() const { return end_; }

  /// The rows, each columns().size() long.
  [[nodiscard]] const std::vector<CellBlock>& blocks() const { return blocks_; }
  /// Calls `visit(first_row, rows)` for each block.
  template <class Visitor>
  void for_each_block(Visitor&& visit) const {
    std::size_t first = 0;
    for (const CellBlock& block : blocks_) {
      visit(first, block.cells());
      first += block.rows();
    }
  }

 private:
  /// A chunk to be read.
  struct Cut {
    ChunkRequest request;
    bool is_exact;  ///< a record begins where it begins
  };
  /// Where the next record begins in the part that is read.
  struct Position {
    std::size_t offset = 0;
    std::size_t line = 0;
  };

  [[nodiscard]] std::vector<Cut> cut(std::size_t chunk_bytes, const Extent& extent) const;
  void read_chunks(std::span<const Cut> cuts);
  void join(Cut cut, TableChunk chunk);
  void join_column(std::size_t column, ColumnCells& added, std::size_t lines_before,
                   std::vector<std::uint32_t>& numbers);

  std::span<const TableLayout> parts_;
  std::span<const ColumnMode> modes_;
  const MissingWords& missing_;
  std::size_t most_rows_;
  bool keeps_rows_;
  bool begins_within_;  ///< rows come before the extent
  std::size_t part_ = 0;
  std::size_t rows_ = 0;
  Position next_;
  std::optional<CutOff> cut_off_;
  std::optional<TablePlace> end_;
  std::vector<ColumnCells> columns_;
  std::vector<CellBlock> blocks_;
};

}  // namespace dnn
