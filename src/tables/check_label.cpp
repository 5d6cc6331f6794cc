#include "dnn/tables/check_label.hpp"

#include <fmt/format.h>

#include "dnn/core/error.hpp"
#include "dnn/data/number.hpp"

namespace dnn {

namespace {

/// Numbers of at most so many different values may be classes, whatever the number of rows.
constexpr std::size_t many = 20;

}  // namespace

void check_classes(const FoundLabel& label) {
  const TextIndex& texts = label.cells.columns()[label.column].texts;
  std::size_t integers = 0;
  for (std::size_t t = 0; t < texts.size(); ++t) {
    if (!parse_number<double>(texts.text(t))) {
      return;
    }
    integers += parse_integer(texts.text(t)) ? 1 : 0;
  }
  const bool whole = integers == texts.size();
  if (texts.size() == 0 ||
      (whole && (texts.size() <= many || 10 * texts.size() <= label.cells.rows()))) {
    return;
  }
  throw InputError(fmt::format(
      "{}: the label, column {}, holds {}: --task numbers learns them as numbers (regression){}; "
      "--label-column names another column",
      label.origin, in_quotes(label.name),
      whole ? fmt::format("{} different numbers in {} rows", texts.size(), label.cells.rows())
            : "numbers that are not whole",
      whole ? ", --task classes as so many classes" : ""));
}

void check_guess(const FoundLabel& label, const std::string& why, const TableSchema& schema,
                 const ReadOptions& options) {
  const ColumnCells& column = label.cells.columns()[label.column];
  std::size_t numbers = 0;
  std::size_t integers = 0;
  for (std::size_t t = 0; t < column.texts.size(); ++t) {
    numbers += parse_number<double>(column.texts.text(t)) ? 1 : 0;
    integers += parse_integer(column.texts.text(t)) ? 1 : 0;
  }
  const bool all_numbers = numbers == column.texts.size();
  std::string trouble;
  if (options.task == Task::automatic && all_numbers && integers < numbers) {
    trouble = "holds numbers that are not whole (--task numbers learns them)";
  } else if (options.task == Task::automatic && all_numbers && numbers > many &&
             10 * numbers > label.cells.rows()) {
    trouble = fmt::format("holds {} different numbers in {} rows (--task numbers learns them)",
                          numbers, label.cells.rows());
  } else if (!all_numbers && column.texts.size() > many &&
             10 * column.texts.size() >= 9 * label.cells.rows()) {
    trouble =
        fmt::format("holds {} different texts in {} rows", column.texts.size(), label.cells.rows());
  } else if (column.missing > 0 && !options.drop_unlabelled) {
    trouble = fmt::format("has no value in {} of {} rows (the first is {})", column.missing,
                          label.cells.rows(), label.cells.text_of(column.first_missing));
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
