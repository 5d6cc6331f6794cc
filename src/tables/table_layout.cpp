#include "dnn/tables/table_layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <unordered_set>

#include "dnn/core/error.hpp"
#include "dnn/data/table_schema.hpp"
#include "dnn/tables/cell.hpp"
#include "dnn/tables/date.hpp"
#include "dnn/tables/table_header.hpp"
#include "dnn/tables/table_sample.hpp"

namespace dnn {

namespace {

constexpr std::size_t most_sampled = 200;

/// Whether numbers have a decimal comma: some cells do, and none a decimal point.
bool has_decimal_comma(const std::vector<TableRecord>& records, char delimiter) {
  bool comma = false;
  for (const TableRecord& record : records) {
    for (const std::string& field : record.fields) {
      if (delimiter == ',' || field.find_first_of(".,") == std::string::npos) {
        continue;
      }
      const bool as_comma = parse_cell_number(field, ',').has_value();
      const bool as_point = parse_cell_number(field, '.').has_value();
      if (as_point && !as_comma) {
        return false;
      }
      if (as_comma && field.find(',') != std::string::npos) {
        comma = true;
      }
    }
  }
  return comma;
}

/// Gives unnamed columns a name, and columns of one name different ones.
void make_distinct(TableLayout& layout, const std::string& origin) {
  std::unordered_set<std::string> taken;
  for (std::size_t j = 0; j < layout.columns(); ++j) {
    std::string& name = layout.names[j];
    if (name.empty()) {
      name = unnamed_column(j);
    }
    if (taken.contains(name)) {
      const std::string shared = name;
      for (std::size_t k = 1; taken.contains(name); ++k) {
        name = fmt::format("{}.{}", shared, k);
      }
      layout.notes.push_back(fmt::format("{}: several columns are named {}; column {} is called {}",
                                         origin, in_quotes(shared), j + 1, in_quotes(name)));
    }
    taken.insert(name);
  }
}

bool is_any_date(const std::string& text) {
  return parse_date(text, DateOrder::month_first) || parse_date(text, DateOrder::day_first);
}

/// Whether the first fields are of a kind, but for a few and for missing values; the first record
/// may be a header.
template <class IsOfKind>
bool are_first_fields(const std::vector<TableRecord>& records, const IsOfKind& is_of_kind) {
  const MissingWords missing(split_words(usual_missing_words));
  std::size_t of_kind = 0;
  std::size_t others = 0;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const std::string& field = records[i].fields.front();
    if (is_of_kind(field)) {
      ++of_kind;
    } else if (i > 0 && !missing.contains(field)) {
      ++others;
    }
  }
  return of_kind > 9 * others;
}

/// Whether the records that begin with '#' are rows that were commented out: behind it, they have
/// what the rows begin with, all of them a number or all of them a date. No such record: whether it
/// would be one.
bool are_commented_out(const std::vector<TableRecord>& marked,
                       const std::vector<TableRecord>& rows) {
  const auto are = [&](const auto& is_of_kind) {
    return are_first_fields(rows, is_of_kind) &&
           std::all_of(marked.begin(), marked.end(), [&](const TableRecord& record) {
             const std::string& field = record.fields.front();
             const std::size_t value = field.find_first_not_of("# ");
             return value != std::string::npos && is_of_kind(field.substr(value));
           });
  };
  return are(is_any_number) || are(is_any_date);
}

/// The delimiter that a first line "sep=;" names, which Excel writes for itself.
std::optional<char> named_delimiter(std::string_view text) {
  constexpr std::string_view key = "sep=";
  constexpr std::string_view delimiters = ";,\t|";
  const std::size_t end = std::min(text.find_first_of("\r\n"), text.size());
  const bool is_key =
      end == key.size() + 1 && in_lower_case(std::string(text.substr(0, key.size()))) == key;
  return is_key && delimiters.find(text[key.size()]) != std::string_view::npos
             ? std::optional(text[key.size()])
             : std::nullopt;
}

/// Finds the layout step by step; `records` is the sample from the first record on that was not
/// passed over.
class LayoutFinder {
 public:
  LayoutFinder(std::string_view text, const std::string& origin) : text_(text), origin_(origin) {
    layout_.origin = origin;
    const std::optional<char> named = named_delimiter(text);
    layout_.dialect.delimiter = named ? *named : find_delimiter(text, origin);
    find_comments();
    records_ = sample_records(text, layout_.dialect, origin, most_sampled);
    if (named) {
      pop_front();
    }
    if (records_.empty()) {
      throw InputError(origin + ": the file holds no lines");
    }
  }

  TableLayout find(HeaderMode header, const HeaderHints& hints) {
    skip_titles();
    take_commented_header();
    layout_.has_header =
        commented_.has_value() || (header == HeaderMode::detect ? looks_like_header(records_, hints)
                                                                : header == HeaderMode::yes);
    if (!layout_.has_header && header == HeaderMode::detect && !hints.is_known) {
      tell_of_row();
    }
    const std::size_t columns = records_.front().fields.size();
    if (commented_) {
      layout_.names = *commented_;
    } else if (layout_.has_header) {
      if (header == HeaderMode::detect) {
        tell_of_header(hints);
      }
      layout_.names = records_.front().fields;
      layout_.header = header_line();
      add_header_gap();
      pop_front();
      skip_units();
    } else {
      layout_.names.assign(columns, std::string());
    }
    layout_.rows = records_.empty() ? std::string_view{} : text_.substr(records_.front().offset);
    layout_.lines_before = records_.empty() ? 0 : records_.front().line - 1;
    find_decimal();
    make_distinct(layout_, origin_);
    return std::move(layout_);
  }

 private:
  /// Finds whether '#' begins comments: it does so on the first lines, and where rows begin with
  /// numbers or dates. Else it may begin a value: a record that has as many fields as the others
  /// does, and so does every one below the sample if the sample has no comment.
  void find_comments() {
    const auto records = sample_records(text_, layout_.dialect, origin_, most_sampled);
    const auto is_marked = [](const TableRecord& record) {
      return record.fields.front().starts_with('#');
    };
    const auto first = std::find_if_not(records.begin(), records.end(), is_marked);
    const std::size_t columns =
        commonest_count(records, static_cast<std::size_t>(first - records.begin())).fields;
    std::vector<TableRecord> rows;
    std::vector<TableRecord> marked;
    bool has_comments = first != records.begin();
    for (auto record = first; record != records.end(); ++record) {
      if (!is_marked(*record)) {
        rows.push_back(*record);
      } else if (record->fields.size() == columns) {
        marked.push_back(*record);
      } else {
        has_comments = true;
      }
    }
    layout_.dialect.comments = (marked.empty() && has_comments) || are_commented_out(marked, rows);
    if (layout_.dialect.comments && !marked.empty()) {
      layout_.notes.push_back(fmt::format(
          "{}: line {} begins with '#' and is taken for a comment, as are all such lines", origin_,
          marked.front().line));
    }
  }

  /// Of a first record that could be a header.
  void tell_of_row() {
    const auto column = is_text_alone(records_) ? column_of_repeated_value(records_) : std::nullopt;
    if (column) {
      layout_.notes.push_back(fmt::format(
          "{}: the first line counts as a row, not as a header: {} is a value of column {} below, "
          "too (--csv-header yes makes it the header)",
          origin_, in_quotes(records_.front().fields[*column]), *column + 1));
    }
  }

  /// Of a header that could be a row.
  void tell_of_header(const HeaderHints& hints) {
    const auto column = column_of_numbers(records_);
    if (column && hints.names.empty()) {
      layout_.notes.push_back(fmt::format(
          "{}: line {} is taken for the header, though column {} has numbers in it and below "
          "(--csv-header no makes it a row)",
          origin_, records_.front().line, *column + 1));
    }
  }

  /// The text of the header, which is the first record; empty where it has several lines.
  [[nodiscard]] std::string_view header_line() const {
    const auto has_line_end = [](const std::string& field) {
      return field.find_first_of("\r\n") != std::string::npos;
    };
    const auto& fields = records_.front().fields;
    if (std::any_of(fields.begin(), fields.end(), has_line_end)) {
      return {};
    }
    const std::string_view text = text_.substr(records_.front().offset);
    return text.substr(0, text.find_first_of("\r\n"));
  }

  void pop_front() { records_.erase(records_.begin()); }

  /// Passes over lines of text above the table, which have fewer fields than it has columns.
  void skip_titles() {
    constexpr std::size_t most = 20;
    std::size_t skipped = 0;
    while (records_.size() > 2 && skipped < most) {
      const auto& first = records_.front().fields;
      const CommonestCount rest = commonest_count(records_, 1);
      const bool is_text = std::none_of(first.begin(), first.end(), is_any_number);
      if (first.size() + 1 >= rest.fields && !(first.size() == 1 && rest.fields > 1)) {
        break;
      }
      if (!is_text || 10 * rest.records < 9 * (records_.size() - 1 - skipped)) {
        break;
      }
      pop_front();
      ++skipped;
    }
    if (skipped > 0) {
      layout_.notes.push_back(fmt::format("{}: {} line{} above the table {} passed over", origin_,
                                          skipped, skipped == 1 ? "" : "s",
                                          skipped == 1 ? "is" : "are"));
    }
  }

  /// The last comment line above the rows is a header, where it has a name for each column and they
  /// have none.
  void take_commented_header() {
    const std::string_view above = text_.substr(0, records_.front().offset);
    const std::size_t mark = above.rfind('#');
    if (mark == std::string_view::npos || looks_like_header(records_, {})) {
      return;
    }
    const auto found = sample_records(above.substr(mark + 1), layout_.dialect, origin_, 1);
    if (found.size() == 1 && found[0].fields.size() == records_.front().fields.size() &&
        found[0].fields.size() > 1 &&
        std::none_of(found[0].fields.begin(), found[0].fields.end(), is_any_number)) {
      commented_ = found[0].fields;
      layout_.notes.push_back(
          fmt::format("{}: the comment line above the rows names the columns", origin_));
    }
  }

  /// A header with one name less than the rows have fields: each line ends with a delimiter, or its
  /// first field is the row's name.
  void add_header_gap() {
    const CommonestCount rest = commonest_count(records_, 1);
    if (records_.size() < 2 || rest.fields != layout_.columns() + 1) {
      return;
    }
    const bool trailing =
        std::all_of(records_.begin() + 1, records_.end(), [&rest](const TableRecord& record) {
          return record.fields.size() != rest.fields || record.fields.back().empty();
        });
    layout_.names.insert(trailing ? layout_.names.end() : layout_.names.begin(),
                         trailing ? std::string() : std::string("row name"));
  }

  void skip_units() {
    records_.insert(records_.begin(), TableRecord{});  // looks_like_units counts the header
    const bool units = looks_like_units(records_);
    pop_front();
    if (units) {
      layout_.notes.push_back(fmt::format("{}: line {} is taken for units ({}) and passed over",
                                          origin_, records_.front().line,
                                          in_quotes(records_.front().fields.front())));
      pop_front();
    }
  }

  void find_decimal() {
    if (has_decimal_comma(records_, layout_.dialect.delimiter)) {
      layout_.dialect.decimal = ',';
      layout_.notes.push_back(fmt::format("{}: numbers have a decimal comma", origin_));
    }
  }

  std::string_view text_;
  const std::string& origin_;
  TableLayout layout_;
  std::vector<TableRecord> records_;
  std::optional<std::vector<std::string>> commented_;
};

}  // namespace

std::string columns_text(std::size_t count) {
  return fmt::format("{} column{}", count, count == 1 ? "" : "s");
}

std::string unnamed_column(std::size_t index) {
  return fmt::format("column {}", index + 1);
}

std::vector<std::string> feature_columns(const TableSchema& schema) {
  std::vector<std::string> names;
  for (const TableColumn& column : schema.columns) {
    if (schema.has_header && column.is_feature()) {
      names.push_back(column.name);
    }
  }
  return names;
}

TableLayout find_layout(std::string_view text, const std::string& origin, HeaderMode header,
                        const HeaderHints& hints) {
  return LayoutFinder(text, origin).find(header, hints);
}

}  // namespace dnn
