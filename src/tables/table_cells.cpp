#include "dnn/tables/table_cells.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "dnn/core/error.hpp"
#include "dnn/tables/date.hpp"

namespace dnn {

namespace {

constexpr double nothing = std::numeric_limits<double>::quiet_NaN();

}  // namespace

TableCells::TableCells(const TableLayout& layout, const std::string& origin,
                       std::span<const ColumnMode> modes, const MissingWords& missing,
                       std::size_t most_rows)
    : origin_(origin),
      layout_(layout),
      modes_(modes),
      missing_(missing),
      columns_(layout.columns()) {
  constexpr std::size_t most_cells = std::size_t{1} << 19;
  const std::size_t width = columns_.size();
  const std::size_t cells =
      std::min(most_cells, layout.rows.size() + width);  // few in a short text
  const std::size_t block_rows = std::clamp<std::size_t>(cells / width, 1, most_rows);
  TableScanner scanner(layout.rows, layout.dialect, origin);
  std::size_t used = block_rows;
  while (rows_ < most_rows && scanner.next_record()) {
    line_ = layout.lines_before + scanner.line();
    if (used == block_rows) {
      blocks_.emplace_back().resize(block_rows * width);
      used = 0;
    }
    read_record(scanner, blocks_.back().data() + used * width);
    if (cut_off_) {
      break;
    }
    ++rows_;
    ++used;
  }
  if (!blocks_.empty()) {
    blocks_.back().resize(used * width);
    blocks_.back().shrink_to_fit();
  }
}

void TableCells::read_record(TableScanner& scanner, double* row) {
  for (std::size_t j = 0; j < columns_.size(); ++j) {
    if (!scanner.has_field()) {
      if (rows_ > 0 && scanner.ended_without_newline()) {
        cut_off_ = true;
        return;
      }
      throw InputError(fmt::format("{}: line {} has {} columns, the table has {}", origin_, line_,
                                   j, columns_.size()));
    }
    row[j] = read_cell(scanner, j);
  }
  if (scanner.has_field()) {
    // A delimiter at the line's end makes a last field that is empty.
    const bool empty = scanner.field().empty() && !scanner.has_field();
    const std::size_t fields = scanner.skip_fields();
    if (!empty) {
      throw InputError(fmt::format("{}: line {} has {} columns, the table has {}", origin_, line_,
                                   fields, columns_.size()));
    }
  }
}

double TableCells::read_cell(TableScanner& scanner, std::size_t column) {
  const ColumnMode& mode = modes_[column];
  double value = 0;
  ColumnCells& cells = columns_[column];
  if (mode.mode == CellMode::number && layout_.dialect.decimal == '.' && scanner.number(value)) {
    return missing_.contains(value) ? note_missing(cells) : value;
  }
  const std::string_view text = scanner.field();
  if (mode.mode == CellMode::skip) {
    return nothing;
  }
  if (mode.words_are_values ? text.empty() : missing_.contains(text)) {
    return note_missing(cells);
  }
  if (mode.mode == CellMode::text) {
    const std::uint32_t number = cells.texts.add(text);
    if (number == cells.texts.size() - 1 && !mode.keep_all) {
      cells.texts.give_up_on_identifiers();
    }
    return number;
  }
  const std::optional<double> found =
      mode.mode == CellMode::number
          ? parse_cell_number(text, layout_.dialect.decimal)
          : parse_date(text, mode.mode == CellMode::day_first_date ? DateOrder::day_first
                                                                   : DateOrder::month_first);
  if (!found || std::isnan(*found)) {
    return misfit(column, text);
  }
  if (!std::isfinite(*found)) {
    throw InputError(fmt::format(
        "{}: line {}, column {}: {} is infinite or too large; features must be finite numbers "
        "(--missing takes a word for a missing value)",
        origin_, line_, in_quotes(layout_.names[column]), in_quotes(text)));
  }
  return *found;
}

double TableCells::note_missing(ColumnCells& cells) const {
  cells.first_missing_line = cells.missing == 0 ? line_ : cells.first_missing_line;
  ++cells.missing;
  return nothing;
}

double TableCells::misfit(std::size_t column, std::string_view text) {
  constexpr std::size_t most_words = 3;
  ColumnCells& cells = columns_[column];
  cells.first_misfit_line = cells.misfits == 0 ? line_ : cells.first_misfit_line;
  ++cells.misfits;
  auto& words = cells.misfit_words;
  if (std::find(words.begin(), words.end(), text) == words.end()) {
    if (words.size() < most_words) {
      words.emplace_back(text);
    } else {
      cells.more_misfit_words = true;
    }
  }
  return nothing;
}

}  // namespace dnn
