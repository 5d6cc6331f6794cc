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
  /// Reads the rows of `parts`, which have the same columns, the first `most_rows` of them. Throws
  /// InputError, with line and column, for a record of another length than the table's and a number
  /// that is infinite.
  TableCells(std::span<const TableLayout> parts, std::span<const ColumnMode> modes,
             const MissingWords& missing, std::size_t chunk_bytes,
             std::size_t most_rows = std::numeric_limits<std::size_t>::max());

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

  /// The rows, in blocks of whole rows, each columns().size() long.
  [[nodiscard]] const std::vector<std::vector<double>>& blocks() const { return blocks_; }
  /// Calls `visit(first_row, rows)` for each block.
  template <class Visitor>
  void for_each_block(Visitor&& visit) const {
    std::size_t first = 0;
    for (const std::vector<double>& block : blocks_) {
      visit(first, std::span<const double>(block));
      first += block.size() / columns_.size();
    }
  }

 private:
  /// Where the next record begins in the part that is read.
  struct Position {
    std::size_t offset = 0;
    std::size_t line = 0;
  };

  void read_chunks(std::span<const ChunkRequest> requests);
  void join(ChunkRequest request, TableChunk chunk);
  void join_column(std::size_t column, ColumnCells& added, std::size_t lines_before,
                   std::vector<std::uint32_t>& numbers);

  std::span<const TableLayout> parts_;
  std::span<const ColumnMode> modes_;
  const MissingWords& missing_;
  std::size_t most_rows_;
  std::size_t rows_ = 0;
  Position next_;
  std::optional<CutOff> cut_off_;
  std::vector<ColumnCells> columns_;
  std::vector<std::vector<double>> blocks_;
};

}  // namespace dnn
