#include "dnn/tables/check_label.hpp"

#include <fmt/format.h>

#include <string_view>

#include "dnn/core/error.hpp"
#include "dnn/data/number.hpp"

namespace dnn {

namespace {

/// Numbers of at most so many different values may be classes, whatever the number of rows.
constexpr std::size_t many = 20;

bool is_digits_alone(std::string_view text) {
  return text.find_first_not_of("0123456789") == std::string_view::npos;
}

/// The different values of a label.
struct LabelValues {
  std::size_t count = 0;
  std::size_t rows = 0;  ///< of the table
  bool are_numbers = true;
  bool are_whole = true;
  bool are_long = false;  ///< some are whole, but beyond what a number holds exactly

  explicit LabelValues(const FoundLabel& label) : rows(label.cells.rows()) {
    const TextIndex& texts = label.cells.columns()[label.column].texts;
    count = texts.size();
    for (std::size_t t = 0; t < count && are_numbers; ++t) {
      are_numbers = parse_number<double>(texts.text(t)).has_value();
      const bool is_whole = parse_integer(texts.text(t)).has_value();
      are_whole = are_whole && is_whole;
      are_long = are_long || (!is_whole && is_digits_alone(texts.text(t)));
    }
  }

  /// Where they are numbers rather than the numbers of classes: what the label holds. Otherwise
  /// empty.
  [[nodiscard]] std::string numbers() const {
    if (!are_numbers || (are_whole && (count <= many || 10 * count <= rows))) {
      return {};
    }
    if (are_long) {
      return "whole numbers of 2^53 or more, which numbers do not tell apart (if they are names, "
             "put "
             "a letter before them)";
    }
    return are_whole ? fmt::format("{} different numbers in {} rows", count, rows)
                     : "numbers that are not whole";
  }
};

}  // namespace

void check_classes(const FoundLabel& label) {
  const LabelValues values(label);
  if (const std::string numbers = values.numbers(); !numbers.empty()) {
    throw InputError(
        fmt::format("{}: the label, column {}, holds {}: --task numbers learns them as numbers "
                    "(regression){}; --label-column names another column",
                    label.origin, in_quotes(label.name), numbers,
                    values.are_whole ? ", --task classes as so many classes" : ""));
  }
}

void check_guess(const FoundLabel& label, const std::string& why, const TableSchema& schema,
                 const ReadOptions& options) {
  const ColumnCells& column = label.cells.columns()[label.column];
  const LabelValues values(label);
  const std::string numbers = values.numbers();
  std::string trouble;
  if (options.task == Task::automatic && !numbers.empty()) {
    trouble = fmt::format("holds {} (--task numbers learns them)", numbers);
  } else if (!values.are_numbers && values.count > many && 10 * values.count >= 9 * values.rows) {
    trouble = fmt::format("holds {} different texts in {} rows", values.count, values.rows);
  } else if (column.missing > 0 && !options.drop_unlabelled) {
    trouble = fmt::format("has no value in {} of {} rows (the first is {})", column.missing,
                          values.rows, label.cells.text_of(column.first_missing));
  } else {
    return;
  }
  std::string others;
  std::size_t named = 0;
  for (const TableColumn& other : schema.columns) {
    if (other.kind == ColumnKind::category && other.distinct <= many && named < 5) {
      others += fmt::format("{}{} ({} values)", named == 0 ? "; columns of text are " : ", ",
                            in_quotes(other.name), other.distinct);
      ++named;
    }
  }
  throw InputError(
      fmt::format("{}: the label would be column {}, {}, but it {}; name the label's column with "
                  "--label-column{}",
                  label.origin, in_quotes(label.name), why, trouble, others));
}

}  // namespace dnn
