#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dnn/tables/cell.hpp"
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

/// What was read from a column.
struct ColumnCells {
  std::uint64_t missing = 0;
  std::string first_missing;  ///< "table.csv: line 7"
  /// Cells that are not what the mode says, which became missing values; the texts of the first
  /// three kinds of them.
  std::uint64_t misfits = 0;
  std::string first_misfit;
  std::vector<std::string> misfit_words;
  bool more_misfit_words = false;
  TextIndex texts;  ///< mode text
};

/// The cells of a table, in memory, as numbers: a number as itself, a date in seconds, a text as
/// its number in the column's TextIndex, a missing value as NaN.
class TableCells {
 public:
  /// Reads the rows of `parts`, which have the same columns, the first `most_rows` of them. Throws
  /// InputError, with line and column, for a record of another length than the table's, a number
  /// that is infinite, and a weight that is missing or negative.
  TableCells(std::span<const TableLayout> parts, std::span<const ColumnMode> modes,
             const MissingWords& missing,
             std::size_t most_rows = std::numeric_limits<std::size_t>::max());

  [[nodiscard]] std::size_t rows() const { return rows_; }
  [[nodiscard]] std::vector<ColumnCells>& columns() { return columns_; }
  [[nodiscard]] const std::vector<ColumnCells>& columns() const { return columns_; }
  /// The part of the table whose text ends within a record, and where that begins in its rows.
  /// Reading ended there: the cells are not to be used.
  struct CutOff {
    std::size_t part;
    std::size_t offset;
  };
  [[nodiscard]] const std::optional<CutOff>& cut_off() const { return cut_off_; }

  /// Calls `visit(first_row, rows)` for blocks of whole rows, each columns().size() long.
  template <class Visitor>
  void for_each_block(Visitor&& visit) const {
    std::size_t first = 0;
    for (const std::vector<double>& block : blocks_) {
      visit(first, std::span<const double>(block));
      first += block.size() / columns_.size();
    }
  }

 private:
  void read_part(std::size_t part, std::size_t most_rows);
  void read_record(TableScanner& scanner, double* row);
  double read_cell(TableScanner& scanner, std::size_t column);
  [[nodiscard]] double read_weight(std::string_view text, std::size_t column) const;
  [[nodiscard]] double note_missing(ColumnCells& cells) const;
  double misfit(std::size_t column, std::string_view text);

  [[nodiscard]] std::string place() const;

  std::span<const TableLayout> parts_;
  std::size_t part_ = 0;  ///< that is read
  std::span<const ColumnMode> modes_;
  const MissingWords& missing_;
  std::size_t rows_ = 0;
  std::size_t line_ = 0;
  std::size_t block_rows_ = 0;
  std::optional<CutOff> cut_off_;
  std::vector<ColumnCells> columns_;
  std::vector<std::vector<double>> blocks_;
};

}  // namespace dnn
