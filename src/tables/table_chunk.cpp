#include "dnn/tables/table_chunk.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "dnn/core/error.hpp"
#include "dnn/data/mapped_access.hpp"
#include "dnn/tables/date.hpp"

namespace dnn {

namespace {

constexpr double nothing = std::numeric_limits<double>::quiet_NaN();

class ChunkReader {
 public:
  explicit ChunkReader(const ChunkRequest& request)
      : request_(request),
        layout_(request.parts[request.part]),
        scanner_(layout_.rows.substr(request.begin), layout_.dialect, layout_.origin,
                 request.lines_before) {
    constexpr std::size_t most_cells = std::size_t{1} << 18;
    const std::size_t width = request.modes.size();
    const std::size_t bytes = std::min(request.stop, layout_.rows.size()) - request.begin;
    const std::size_t cells = std::min(most_cells, bytes + width);  // few in a short text
    block_rows_ = std::clamp<std::size_t>(cells / width, 1, request.most_rows);
    chunk_.columns.resize(width);
    for (const ColumnMode& mode : request.modes) {
      is_text_.push_back(mode.mode == CellMode::text);
    }
  }

  TableChunk read() {
    try {
      read_records();
    } catch (const InputError&) {
      chunk_.error = std::current_exception();
    }
    if (layout_.is_mapped) {
      forget_mapped(layout_.rows.substr(request_.begin, request_.stop - request_.begin));
    }
    return std::move(chunk_);
  }

 private:
  void read_records() {
    const std::size_t width = chunk_.columns.size();
    chunk_.first = layout_.rows.size();
    bool is_first = true;
    while (scanner_.next_record()) {
      const std::size_t begin = request_.begin + scanner_.offset();
      line_ = scanner_.line();
      if (is_first) {
        chunk_.first = begin;
        chunk_.first_line = line_;
        is_first = false;
      }
      if (begin >= request_.stop || chunk_.rows == request_.most_rows) {
        chunk_.end = begin;
        chunk_.end_line = line_;
        pack_rows();
        return;
      }
      check_header(begin);
      if (cells_.empty()) {
        cells_.resize(width * block_rows_);
      }
      read_record(&cells_[rows_]);
      if (chunk_.cut_off) {
        return;
      }
      ++chunk_.rows;
      if (++rows_ == block_rows_) {
        pack_rows();
      }
    }
    chunk_.end = layout_.rows.size();
    pack_rows();
  }

  void pack_rows() {
    if (request_.keeps_rows && rows_ > 0) {
      chunk_.blocks.emplace_back(cells_, rows_, is_text_, request_.memory);
    }
    rows_ = 0;
  }

  [[nodiscard]] TableLine place() const { return {request_.part, line_}; }
  [[nodiscard]] std::string place_text() const {
    return fmt::format("{}: line {}", layout_.origin, line_);
  }

  /// For a line that may be meant as a comment, and is none.
  [[nodiscard]] std::string_view hint_on_comments() const {
    const std::size_t begin = request_.begin + scanner_.offset();
    return layout_.rows[begin] == '#'
               ? " ('#' begins values in this table: if the line is a comment, delete it)"
               : "";
  }

  [[noreturn]] void refuse_length(std::size_t fields) const {
    throw InputError(fmt::format("{} has {}, the table has {}{}", place_text(),
                                 columns_text(fields), chunk_.columns.size(), hint_on_comments()));
  }

  /// Throws InputError where the record at `begin` is the header once more.
  void check_header(std::size_t begin) const {
    constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
    const std::string_view header = layout_.header;
    std::string_view text = layout_.rows.substr(begin);
    if (text.starts_with(byte_order_mark)) {  // of the second of two files
      text.remove_prefix(byte_order_mark.size());
    }
    if (chunk_.columns.size() < 2 || header.empty() || !text.starts_with(header)) {
      return;
    }
    text.remove_prefix(header.size());
    if (text.empty() || text.front() == '\n' || text.front() == '\r') {
      throw InputError(fmt::format(
          "{} repeats the header, as in joined files; remove it (--csv-header no if the table has "
          "no header, and both are rows)",
          place_text()));
    }
  }

  /// Reads a row's cells; those of two columns lie block_rows_ apart.
  void read_record(double* row) {
    const std::size_t width = chunk_.columns.size();
    for (std::size_t j = 0; j < width; ++j) {
      if (!scanner_.has_field()) {
        if ((request_.has_rows_before || chunk_.rows > 0) && scanner_.ended_without_newline()) {
          chunk_.cut_off = request_.begin + scanner_.offset();
          return;
        }
        refuse_length(j);
      }
      row[j * block_rows_] = read_cell(j);
    }
    if (scanner_.has_field()) {
      // A delimiter at the line's end makes a last field that is empty.
      const bool empty = scanner_.field().empty() && !scanner_.has_field();
      const std::size_t fields = scanner_.skip_fields();
      if (!empty) {
        refuse_length(fields);
      }
    }
  }

  double read_cell(std::size_t column) {
    const ColumnMode& mode = request_.modes[column];
    double value = 0;
    ColumnCells& cells = chunk_.columns[column];
    const char decimal = layout_.dialect.decimal;
    if (mode.mode == CellMode::number && decimal == '.' && scanner_.number(value)) {
      return request_.missing.contains(value) ? note_missing(cells) : value;
    }
    const std::string_view text = scanner_.field();
    if (mode.mode == CellMode::skip) {
      return nothing;
    }
    if (mode.mode == CellMode::weight) {
      return read_weight(text, column);
    }
    if (mode.words_are_values ? text.empty() : request_.missing.contains(text)) {
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
      return misfit(cells, text);
    }
    if (mode.mode == CellMode::number && request_.missing.contains(*found)) {
      return note_missing(cells);
    }
    return std::isfinite(*found) ? *found : note_infinite(cells, text);
  }

  [[nodiscard]] double read_weight(std::string_view text, std::size_t column) const {
    const std::optional<double> weight = parse_cell_number(text, layout_.dialect.decimal);
    if (!weight || !std::isfinite(*weight) || *weight < 0) {
      throw InputError(
          fmt::format("{}, column {}: {} is {}; a weight is a finite number of 0 or more. Correct "
                      "it, give it 0 "
                      "if the sample is not to count, or name another column with --weight-column",
                      place_text(), in_quotes(request_.parts.front().names[column]),
                      in_quotes(text), weight && *weight < 0 ? "negative" : "no weight"));
    }
    return *weight;
  }

  double note_missing(ColumnCells& cells) const {
    if (cells.missing++ == 0) {
      cells.first_missing = place();
    }
    return nothing;
  }

  double misfit(ColumnCells& cells, std::string_view text) const {
    if (cells.misfits++ == 0) {
      cells.first_misfit = place();
    }
    cells.add_misfit_word(text);
    return nothing;
  }

  double note_infinite(ColumnCells& cells, std::string_view text) const {
    if (cells.infinite++ == 0) {
      cells.first_infinite = place();
      cells.first_infinite_text = text;
    }
    return nothing;
  }

  const ChunkRequest& request_;
  const TableLayout& layout_;
  TableScanner scanner_;
  TableChunk chunk_;
  std::size_t line_ = 0;
  std::size_t block_rows_ = 0;
  std::vector<bool> is_text_;  ///< of the columns
  std::vector<double> cells_;  ///< column by column, of rows that are not in a block yet
  std::size_t rows_ = 0;       ///< so many
};

}  // namespace

void ColumnCells::add_misfit_word(std::string_view text) {
  constexpr std::size_t most_words = 3;
  if (std::find(misfit_words.begin(), misfit_words.end(), text) != misfit_words.end()) {
    return;
  }
  if (misfit_words.size() < most_words) {
    misfit_words.emplace_back(text);
  } else {
    more_misfit_words = true;
  }
}

void ColumnCells::add_below(const ColumnCells& below) {
  first_missing = missing > 0 ? first_missing : below.first_missing;
  first_misfit = misfits > 0 ? first_misfit : below.first_misfit;
  if (infinite == 0) {
    first_infinite = below.first_infinite;
    first_infinite_text = below.first_infinite_text;
  }
  missing += below.missing;
  misfits += below.misfits;
  infinite += below.infinite;
  for (const std::string& word : below.misfit_words) {
    add_misfit_word(word);
  }
  more_misfit_words = more_misfit_words || below.more_misfit_words;
}

void ColumnCells::add_below(const ColumnCells& below, std::vector<std::uint32_t>& numbers) {
  add_below(below);
  numbers.clear();
  if (below.texts.gave_up()) {
    texts.give_up();
  }
  for (std::size_t t = 0; t < below.texts.size(); ++t) {
    numbers.push_back(texts.add(below.texts.text(t), below.texts.count(t)));
  }
}

TableChunk TableChunk::read(const ChunkRequest& request) {
  return ChunkReader(request).read();
}

}  // namespace dnn
