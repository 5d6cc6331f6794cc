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

TableCells::TableCells(std::span<const TableLayout> parts, std::span<const ColumnMode> modes,
                       const MissingWords& missing, std::size_t most_rows)
    : parts_(parts), modes_(modes), missing_(missing), columns_(parts.front().columns()) {
  constexpr std::size_t most_cells = std::size_t{1} << 19;
  std::size_t bytes = 0;
  for (const TableLayout& part : parts) {
    bytes += part.rows.size();
  }
  const std::size_t width = columns_.size();
  const std::size_t cells = std::min(most_cells, bytes + width);  // few in a short text
  block_rows_ = std::clamp<std::size_t>(cells / width, 1, most_rows);
  for (std::size_t part = 0; part < parts.size() && !cut_off_; ++part) {
    read_part(part, most_rows);
  }
  if (!blocks_.empty()) {
    blocks_.back().shrink_to_fit();
  }
}

void TableCells::read_part(std::size_t part, std::size_t most_rows) {
  part_ = part;
  const TableLayout& layout = parts_[part];
  const std::size_t width = columns_.size();
  TableScanner scanner(layout.rows, layout.dialect, layout.origin, layout.lines_before);
  while (rows_ < most_rows && scanner.next_record()) {
    line_ = scanner.line();
    if (blocks_.empty() || blocks_.back().size() == block_rows_ * width) {
      blocks_.emplace_back().reserve(block_rows_ * width);
    }
    std::vector<double>& block = blocks_.back();
    block.resize(block.size() + width);
    read_record(scanner, block.data() + block.size() - width);
    if (cut_off_) {
      return;
    }
    ++rows_;
  }
}

std::string TableCells::place() const {
  return fmt::format("{}: line {}", parts_[part_].origin, line_);
}

void TableCells::read_record(TableScanner& scanner, double* row) {
  for (std::size_t j = 0; j < columns_.size(); ++j) {
    if (!scanner.has_field()) {
      if (rows_ > 0 && scanner.ended_without_newline()) {
        cut_off_ = CutOff{part_, scanner.offset()};
        return;
      }
      throw InputError(
          fmt::format("{} has {} columns, the table has {}", place(), j, columns_.size()));
    }
    row[j] = read_cell(scanner, j);
  }
  if (scanner.has_field()) {
    // A delimiter at the line's end makes a last field that is empty.
    const bool empty = scanner.field().empty() && !scanner.has_field();
    const std::size_t fields = scanner.skip_fields();
    if (!empty) {
      throw InputError(
          fmt::format("{} has {} columns, the table has {}", place(), fields, columns_.size()));
    }
  }
}

double TableCells::read_cell(TableScanner& scanner, std::size_t column) {
  const ColumnMode& mode = modes_[column];
  double value = 0;
  ColumnCells& cells = columns_[column];
  const char decimal = parts_[part_].dialect.decimal;
  if (mode.mode == CellMode::number && decimal == '.' && scanner.number(value)) {
    return missing_.contains(value) ? note_missing(cells) : value;
  }
  const std::string_view text = scanner.field();
  if (mode.mode == CellMode::skip) {
    return nothing;
  }
  if (mode.mode == CellMode::weight) {
    return read_weight(text, column);
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
          ? parse_cell_number(text, decimal)
          : parse_date(text, mode.mode == CellMode::day_first_date ? DateOrder::day_first
                                                                   : DateOrder::month_first);
  if (!found || std::isnan(*found)) {
    return misfit(column, text);
  }
  if (!std::isfinite(*found)) {
    throw InputError(fmt::format(
        "{}, column {}: {} is infinite or too large; features must be finite numbers (--missing "
        "takes a word for a missing value)",
        place(), in_quotes(parts_.front().names[column]), in_quotes(text)));
  }
  return *found;
}

double TableCells::read_weight(std::string_view text, std::size_t column) const {
  const std::optional<double> weight = parse_cell_number(text, parts_[part_].dialect.decimal);
  if (!weight || !std::isfinite(*weight) || *weight < 0) {
    throw InputError(fmt::format(
        "{}, column {}: {} is {}; a weight is a finite number of 0 or more. Correct it, give it 0 "
        "if the sample is not to count, or name another column with --weight-column",
        place(), in_quotes(parts_.front().names[column]), in_quotes(text),
        weight && *weight < 0 ? "negative" : "no weight"));
  }
  return *weight;
}

double TableCells::note_missing(ColumnCells& cells) const {
  if (cells.missing++ == 0) {
    cells.first_missing = place();
  }
  return nothing;
}

double TableCells::misfit(std::size_t column, std::string_view text) {
  constexpr std::size_t most_words = 3;
  ColumnCells& cells = columns_[column];
  if (cells.misfits++ == 0) {
    cells.first_misfit = place();
  }
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
