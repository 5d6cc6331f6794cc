#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dnn/tables/cell.hpp"
#include "dnn/tables/cell_block.hpp"
#include "dnn/tables/table_layout.hpp"
#include "dnn/tables/text_index.hpp"

namespace dnn {

/// How the cells of a column are read.
enum class CellMode {
  number,
  month_first_date,
  day_first_date,
  text,
  weight,  ///< a number of 0 or more that is always there
  skip
};

struct ColumnMode {
  CellMode mode = CellMode::number;
  bool words_are_values = false;  ///< only an empty cell is a missing value (labels)
  bool keep_all = false;          ///< text: however many values there are
};

/// A line of one of the texts that a table is made of.
struct TableLine {
  std::size_t part = 0;
  std::size_t line = 0;  ///< from 1; 0: none
};

/// What was read from a column.
struct ColumnCells {
  std::uint64_t missing = 0;
  TableLine first_missing;
  /// Cells that are not what the mode says, which became missing values; the texts of the first
  /// three kinds of them.
  std::uint64_t misfits = 0;
  TableLine first_misfit;
  std::vector<std::string> misfit_words;
  bool more_misfit_words = false;
  /// Cells of mode number that are infinite or too large: wrong in a column of numbers, and text in
  /// one that other cells show to be text.
  std::uint64_t infinite = 0;
  TableLine first_infinite;
  std::string first_infinite_text;
  TextIndex texts;  ///< mode text

  /// Notes down a cell that is not what the mode says.
  void add_misfit_word(std::string_view text);
  /// Adds what was read from the cells below these, but for their texts.
  void add_below(const ColumnCells& below);
  /// The same with their texts; `numbers` becomes, for each of these, its number here.
  void add_below(const ColumnCells& below, std::vector<std::uint32_t>& numbers);
};

/// What the reading of a chunk needs to know.
struct ChunkRequest {
  std::span<const TableLayout> parts;
  std::span<const ColumnMode> modes;
  const MissingWords& missing;
  ScratchMemory memory = {};  ///< where cells are stored
  std::size_t part = 0;
  std::size_t begin = 0;  ///< in the rows of the part: where a line begins
  std::size_t stop = 0;   ///< records that begin here or later belong to the next chunk
  std::size_t lines_before = 0;
  bool has_rows_before = false;  ///< the table has rows above this chunk
  bool keeps_rows = true;        ///< else only what is known of the columns
  std::size_t most_rows = std::numeric_limits<std::size_t>::max();
};

/// The records that begin in a piece of a table's text.
struct TableChunk {
  std::size_t rows = 0;
  std::vector<ColumnCells> columns;
  std::vector<CellBlock> blocks;  ///< see TableCells
  std::size_t first = 0;          ///< where the first record begins
  std::size_t first_line = 0;
  std::size_t end = 0;  ///< where the record after the last one begins, or the text ends
  std::size_t end_line = 0;
  std::optional<std::size_t> cut_off;  ///< where a record begins that the text's end cuts off
  std::exception_ptr error;            ///< an InputError that ended the reading

  /// Reads the chunk. What InputError reading throws becomes `error`.
  [[nodiscard]] static TableChunk read(const ChunkRequest& request);
};

}  // namespace dnn
