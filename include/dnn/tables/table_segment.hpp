#pragma once

#include <cstddef>
#include <exception>
#include <optional>
#include <span>
#include <vector>

#include "dnn/tables/table_chunk.hpp"

namespace dnn {

/// Where a record begins among the texts of a table.
struct RecordPlace {
  std::size_t part = 0;
  std::size_t offset = 0;  ///< in the rows of the part
  std::size_t line = 0;
};

/// A chunk to be read.
struct TableCut {
  ChunkRequest request;
  bool is_exact = false;  ///< a record begins where it begins
};

/// How the chunks of a segment are read.
struct SegmentRequest {
  std::span<const TableCut> cuts;     ///< one after another in the table
  std::span<const ColumnMode> modes;  ///< of the table's columns
  bool keeps_rows = true;             ///< else only what is known of the columns
  bool begins_table = true;           ///< there are no chunks before
  std::optional<RecordPlace> start;   ///< where the first record begins, if that is known
  bool has_rows_before = false;       ///< the table has rows above
  std::size_t most_rows = std::numeric_limits<std::size_t>::max();
};

/// How many texts a column had after a chunk, see TableSegment.
struct TextMark {
  std::size_t texts = 0;
  std::uint64_t cells = 0;
  bool is_first = false;  ///< no chunk before had rows
};

/// The rows of some chunks of a table's text.
///
/// Note [Chunks]
/// The text is cut every `chunk_bytes`, and as many chunks at a time are read as there are threads
/// (set_threads). A record begins where a line does, but a line may begin within a quoted field
/// (Note [Guessing where a record begins]). So every chunk says where its first record began and
/// where the record after its last one begins; where the two of neighbours differ, or a chunk holds
/// an error, it is read again from where it really begins. Chunks are joined in the order of the
/// text. The cells are therefore the same with any number of threads.
struct TableSegment {
  std::size_t rows = 0;
  std::vector<ColumnCells> columns;
  std::vector<CellBlock> blocks;  ///< see TableCells
  /// Where the first record was taken to begin, where the segment does not begin with a text.
  std::optional<RecordPlace> first;
  /// Where the record behind the last one begins, or the text ends; nothing: nowhere, as no line
  /// begins in the segment. In the text of `first`, lines count from there.
  std::optional<RecordPlace> next;
  std::optional<RecordPlace> cut_off;  ///< where a record begins that the text's end cuts off
  std::exception_ptr error;            ///< an InputError that ended the reading
  /// Of a segment that does not begin the table, columns whose texts are not all kept: what follows
  /// from the texts before is still to be judged, chunk by chunk.
  std::vector<std::vector<TextMark>> marks;

  [[nodiscard]] static TableSegment read(const SegmentRequest& request);
};

}  // namespace dnn
