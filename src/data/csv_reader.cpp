#include "dnn/data/csv_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "dnn/core/error.hpp"
#include "dnn/data/column.hpp"
#include "dnn/data/csv_records.hpp"
#include "dnn/data/label_table.hpp"
#include "dnn/data/number.hpp"

namespace dnn {

namespace {

bool is_numeric(std::string_view field) {
  return parse_number<double>(field).has_value();
}

std::vector<std::string> own(const std::vector<std::string_view>& fields) {
  std::vector<std::string> copies;
  copies.reserve(fields.size());
  for (const std::string_view field : fields) {
    copies.emplace_back(trim(field));
  }
  return copies;
}

/// Whether some cell of the first record is a usual name of the label's column, and no class: none
/// of the others has it there.
bool names_the_label(const std::vector<std::string>& first, CsvRecords others) {
  const auto named = std::find_if(first.begin(), first.end(), is_usual_label_name);
  if (named == first.end()) {
    return false;
  }
  const auto column = static_cast<std::size_t>(named - first.begin());
  while (others.next()) {
    if (column < others.fields().size() && trim(others.fields()[column]) == *named) {
      return false;
    }
  }
  return true;
}

/// Whether the first record names the columns: nothing in it is a number (and it has more than a
/// label), some column is text in it and a number in the second one, or it names the label.
/// `others` stands before the second record.
bool looks_like_header(const std::vector<std::string>& first, const CsvRecords& others) {
  CsvRecords next = others;
  const std::vector<std::string> second =
      next.next() ? own(next.fields()) : std::vector<std::string>{};
  const bool all_text = std::none_of(first.begin(), first.end(), is_numeric);
  if (all_text && (second.empty() || first.size() > 1)) {
    return true;
  }
  for (std::size_t j = 0; j < std::min(first.size(), second.size()); ++j) {
    if (!is_numeric(first[j]) && is_numeric(second[j])) {
      return true;
    }
  }
  return names_the_label(first, others);
}

/// The columns of the file, as its first two records and the options tell.
struct Columns {
  std::size_t count = 0;
  bool has_header = false;
  std::size_t label = Dataset::none;
  std::vector<std::string> names;
};

Columns find_columns(std::string_view text, const std::string& origin, const ReadOptions& options) {
  CsvRecords records(text, origin);
  if (!records.next()) {
    throw InputError(origin + ": the file holds no lines");
  }
  const std::vector<std::string> first = own(records.fields());
  Columns columns;
  columns.count = first.size();
  columns.has_header = options.header == HeaderMode::detect ? looks_like_header(first, records)
                                                            : options.header == HeaderMode::yes;
  if (columns.has_header) {
    columns.names = first;
  }
  if (options.features != columns.count) {
    if (columns.count == 1) {
      throw InputError(origin +
                       ": zero features: a line has one column only (commas, semicolons or tabs "
                       "separate columns)");
    }
    columns.label = find_label_column(options.label_column, columns.count, columns.names, origin);
    if (columns.has_header) {
      columns.names.erase(columns.names.begin() + static_cast<std::ptrdiff_t>(columns.label));
    }
  }
  return columns;
}

template <class T>
class CsvParser {
 public:
  CsvParser(const std::string& origin, const Columns& columns)
      : origin_(origin), columns_(columns) {}

  void add(const CsvRecords& records) {
    const auto& fields = records.fields();
    if (fields.size() != columns_.count) {
      throw InputError(fmt::format("{}: line {} has {} columns, the first line has {}", origin_,
                                   records.line(), fields.size(), columns_.count));
    }
    for (std::size_t j = 0; j < fields.size(); ++j) {
      if (j == columns_.label) {
        if (trim(fields[j]).empty()) {
          throw InputError(
              fmt::format("{}the label is empty{}", cell(records.line(), j), empty_last_cell(j)));
        }
        labels_.add(fields[j]);
      } else {
        values_.push_back(number(fields[j], records.line(), j));
      }
    }
    ++samples_;
  }

  Dataset finish() {
    Dataset data;
    data.origin = origin_;
    data.samples = samples_;
    data.features = columns_.count - (columns_.label == Dataset::none ? 0 : 1);
    data.row_elements = data.features;
    data.element = sizeof(T) == sizeof(float) ? ElementType::f32 : ElementType::f64;
    data.feature_names = columns_.names;
    values_.shrink_to_fit();
    data.values = Bytes::from(std::move(values_));
    if (columns_.label != Dataset::none) {
      labels_.finish(data);
    }
    return data;
  }

 private:
  T number(std::string_view field, std::size_t line, std::size_t column) const {
    const std::optional<T> value = parse_number<T>(field);
    if (value && std::isfinite(*value)) {
      return *value;
    }
    const std::string where = cell(line, column);
    const std::string_view text = trim(field);
    if (value) {
      throw InputError(
          fmt::format("{}{} is NaN, infinite or too large; features must be finite numbers", where,
                      in_quotes(text)));
    }
    if (text.empty()) {
      throw InputError(
          fmt::format("{}the cell is empty (a missing value){}", where, empty_last_cell(column)));
    }
    std::string with_point(text);
    std::replace(with_point.begin(), with_point.end(), ',', '.');
    if (is_numeric(with_point)) {
      throw InputError(fmt::format("{}{} has a decimal comma; write numbers with a point", where,
                                   in_quotes(text)));
    }
    throw InputError(fmt::format(
        "{}{} is not a number (features must be; text is for the label column, see --label-column)",
        where, in_quotes(text)));
  }

  [[nodiscard]] std::string cell(std::size_t line, std::size_t column) const {
    return origin_ + ": line " + std::to_string(line) + ", column " + std::to_string(column + 1) +
           ": ";
  }

  /// What an empty cell at the end of a line is likely to come from.
  [[nodiscard]] std::string empty_last_cell(std::size_t column) const {
    return column + 1 == columns_.count ? "; does every line end with a delimiter? Remove it" : "";
  }

  const std::string& origin_;
  const Columns& columns_;
  std::size_t samples_ = 0;
  std::vector<T> values_;
  LabelTable labels_;
};

template <class T>
Dataset parse_csv(std::string_view text, const std::string& origin, const Columns& columns) {
  CsvRecords records(text, origin);
  CsvParser<T> parser(origin, columns);
  if (columns.has_header) {
    records.next();
  }
  while (records.next()) {
    parser.add(records);
  }
  return parser.finish();
}

}  // namespace

Dataset read_csv(std::span<const std::byte> contents, const std::string& origin,
                 const ReadOptions& options) {
  const std::string_view text(reinterpret_cast<const char*>(contents.data()), contents.size());
  const Columns columns = find_columns(text, origin, options);
  return options.wide ? parse_csv<double>(text, origin, columns)
                      : parse_csv<float>(text, origin, columns);
}

}  // namespace dnn
