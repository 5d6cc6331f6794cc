#include "dnn/tables/column_notes.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <iterator>
#include <optional>
#include <utility>

#include "dnn/core/error.hpp"
#include "dnn/tables/cell.hpp"

namespace dnn {

namespace {

/// How many cells of a column are numbers.
struct NumberCount {
  std::uint64_t numbers = 0;
  std::uint64_t cells = 0;  ///< with a value
};

NumberCount count_numbers(const TextIndex& texts, char decimal) {
  NumberCount count;
  count.cells = texts.total();
  for (std::size_t t = 0; t < texts.size(); ++t) {
    const std::optional<double> number = parse_cell_number(texts.text(t), decimal);
    count.numbers += number && std::isfinite(*number) ? texts.count(t) : 0;
  }
  return count;
}

class NoteWriter {
 public:
  explicit NoteWriter(const ColumnNotesRequest& request) : request_(request) {}

  std::vector<std::string> write() {
    const std::vector<TableColumn>& columns = request_.schema.columns;
    for (std::size_t j = 0; j < columns.size(); ++j) {
      if (request_.first_words[j].place.line == 0) {
        continue;
      }
      if (columns[j].kind == ColumnKind::identifier) {
        note_identifier(j);
      } else if (columns[j].kind == ColumnKind::number && !columns[j].missing_words.empty()) {
        note_missing_words(j);
      }
    }
    std::vector<std::string> notes = std::move(number_notes_);
    for (std::vector<std::string>* others : {&word_notes_, &text_notes_}) {
      std::move(others->begin(), others->end(), std::back_inserter(notes));
    }
    if (notes.size() > most_notes) {
      const std::size_t more = notes.size() - most_notes;
      notes.resize(most_notes);
      notes.push_back(fmt::format("{}: and {} more column{} like these", request_.origin, more,
                                  more == 1 ? "" : "s"));
    }
    return notes;
  }

 private:
  static constexpr std::size_t most_notes = 5;

  void note_identifier(std::size_t column) {
    const TableColumn& about = request_.schema.columns[column];
    const FirstWord& word = request_.first_words[column];
    const std::string left_out = fmt::format("{}: column {} is left out as an identifier: {}",
                                             request_.origin, in_quotes(about.name), about.remark);
    const bool gave_up = request_.cells.columns()[column].texts.gave_up();
    const NumberCount count = numbers_of(column);
    if (2 * count.numbers > count.cells) {
      number_notes_.push_back(fmt::format(
          "{}. {} of its {}{} cells are numbers; the first that is none is {} in {}. Correct such "
          "cells, or list them with --missing",
          left_out, count.numbers, gave_up ? "first " : "", count.cells, in_quotes(word.text),
          text_of(word.place)));
    } else {
      text_notes_.push_back(
          fmt::format("{}, such as {} in {}{}", left_out, in_quotes(word.text), text_of(word.place),
                      gave_up ? "" : " (--columns category:NAME uses the column)"));
    }
  }

  void note_missing_words(std::size_t column) {
    const ColumnCells& cells = request_.cells.columns()[column];
    std::string words;
    for (const std::string& word : cells.misfit_words) {
      words += (words.empty() ? "" : " and ") + in_quotes(word);
    }
    word_notes_.push_back(fmt::format(
        "{}: column {}: {}, in {} of {} rows, the first in {} (--missing lists such words; "
        "--columns number:NAME refuses them)",
        request_.origin, in_quotes(request_.schema.columns[column].name),
        words + (cells.misfit_words.size() == 1 ? " is no number and counts as a missing value"
                                                : " are no numbers and count as missing values"),
        cells.misfits, request_.cells.rows(), text_of(cells.first_misfit)));
  }

  /// Of the first rows alone where the texts of all rows are too many to be kept.
  [[nodiscard]] NumberCount numbers_of(std::size_t column) const {
    constexpr std::size_t first_rows = 200;
    const char decimal = request_.parts.front().dialect.decimal;
    const TextIndex& texts = request_.cells.columns()[column].texts;
    if (!texts.gave_up()) {
      return count_numbers(texts, decimal);
    }
    std::vector<ColumnMode> modes(request_.schema.columns.size(),
                                  ColumnMode{CellMode::skip, false, false});
    modes[column] = {CellMode::text, false, true};
    const TableCells cells(request_.parts, modes, request_.missing, request_.chunk_bytes,
                           {.most_rows = first_rows, .keeps_rows = false});
    return count_numbers(cells.columns()[column].texts, decimal);
  }

  /// "line 7", and of which text where the table is made of several.
  [[nodiscard]] std::string text_of(const TableLine& place) const {
    return request_.parts.size() == 1 ? fmt::format("line {}", place.line)
                                      : request_.cells.text_of(place);
  }

  const ColumnNotesRequest& request_;
  std::vector<std::string> number_notes_;  ///< notes on identifiers that are mostly numbers
  std::vector<std::string> word_notes_;    ///< on words that count as missing values
  std::vector<std::string> text_notes_;    ///< on other identifiers
};

}  // namespace

std::vector<std::string> column_notes(const ColumnNotesRequest& request) {
  return NoteWriter(request).write();
}

}  // namespace dnn
