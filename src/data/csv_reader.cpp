#include "dnn/data/csv_reader.hpp"

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
  for (const std::string_view field : fields) {
    copies.emplace_back(trim(field));
  }
  return copies;
}

/// Whether the first of two records names the columns: some column is text in the first and a
/// number in the second. A single record is a header where nothing in it is a number.
bool looks_like_header(const std::vector<std::string>& first,
                       const std::vector<std::string>& second) {
  for (std::size_t j = 0; j < first.size(); ++j) {
    if (second.empty() ? is_numeric(first[j])
                       : j < second.size() && !is_numeric(first[j]) && is_numeric(second[j])) {
      return !second.empty();
    }
  }
  return second.empty();
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
  const std::vector<std::string> second =
      records.next() ? own(records.fields()) : std::vector<std::string>{};
  Columns columns;
  columns.count = first.size();
  columns.has_header = options.header == HeaderMode::detect ? looks_like_header(first, second)
                                                            : options.header == HeaderMode::yes;
  if (columns.has_header) {
    columns.names = first;
  }
  if (options.features != columns.count) {
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
      throw InputError(origin_ + ": line " + std::to_string(records.line()) + " has " +
                       std::to_string(fields.size()) + " columns, the first line has " +
                       std::to_string(columns_.count));
    }
    for (std::size_t j = 0; j < fields.size(); ++j) {
      if (j == columns_.label) {
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
    const std::string where = origin_ + ": line " + std::to_string(line) + ", column " +
                              std::to_string(column + 1) + ": ";
    if (value) {
      throw InputError(where + "'" + std::string(trim(field)) +
                       "' is NaN, infinite or too large; features must be finite numbers");
    }
    throw InputError(where + (trim(field).empty()
                                  ? std::string("the cell is empty (a missing value)")
                                  : "'" + std::string(trim(field).substr(0, 60)) +
                                        "' is not a number (features must be; text is for the "
                                        "label column, see --label-column)"));
  }

  const std::string& origin_;
  const Columns& columns_;
  std::size_t samples_ = 0;
  std::vector<T> values_;
  LabelTable labels_;
};

template <class T>
Dataset parse(std::string_view text, const std::string& origin, const Columns& columns) {
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
  return options.wide ? parse<double>(text, origin, columns) : parse<float>(text, origin, columns);
}

}  // namespace dnn
