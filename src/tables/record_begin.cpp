#include "dnn/tables/record_begin.hpp"

#include <optional>
#include <string_view>

#include "dnn/core/error.hpp"

namespace dnn {

namespace {

constexpr std::size_t window = std::size_t{1} << 20;

/// Where the first line begins at or behind `offset`, which is not 0.
std::size_t next_line(std::string_view text, std::size_t offset) {
  const std::size_t end = text.find_first_of("\n\r", offset - 1);
  if (end == std::string_view::npos) {
    return text.size();
  }
  return end + (text.substr(end).starts_with("\r\n") ? 2 : 1);
}

/// Whether the first records of `text` have so many columns.
bool has_columns(std::string_view text, const TableLayout& layout, std::size_t columns) {
  constexpr int enough = 3;
  TableScanner scanner(text, layout.dialect, layout.origin);
  try {
    for (int record = 0; record < enough && scanner.next_record(); ++record) {
      for (std::size_t j = 1; j < columns && scanner.has_field(); ++j) {
        (void)scanner.field();
      }
      const bool has_last = scanner.has_field();
      if (has_last) {
        (void)scanner.field();  // the scanner moves behind it
      }
      // A delimiter at the end of a line makes one more field, which is empty.
      const bool has_end = !scanner.has_field() || scanner.field().empty();
      if (!has_last || !has_end || scanner.has_field()) {
        return scanner.ended_without_newline() && record > 0;  // where the window ends
      }
    }
  } catch (const InputError&) {
    return false;  // a quote that is not closed
  }
  return true;
}

/// Where the record behind that one begins whose quoted field the text begins with.
std::optional<std::size_t> behind_quoted_field(std::string_view text, const TableLayout& layout) {
  std::size_t quote = text.find('"');
  while (quote != std::string_view::npos && text.substr(quote + 1).starts_with('"')) {
    quote = text.find('"', quote + 2);
  }
  if (quote == std::string_view::npos) {
    return std::nullopt;
  }
  const std::size_t rest = quote + 1;
  TableScanner scanner(text.substr(rest), layout.dialect, layout.origin);
  const bool ends_record = rest == text.size() || text[rest] == '\n' || text[rest] == '\r';
  try {
    if (!ends_record && scanner.next_record()) {
      (void)scanner.skip_fields();
    }
    return scanner.next_record() ? std::optional(rest + scanner.offset()) : std::nullopt;
  } catch (const InputError&) {
    return std::nullopt;
  }
}

}  // namespace

std::size_t probable_record_begin(const TableLayout& layout, std::size_t columns,
                                  std::size_t offset) {
  const std::string_view text = layout.rows;
  const std::size_t line = next_line(text, offset);
  if (line == text.size() || has_columns(text.substr(line, window), layout, columns)) {
    return line;
  }
  const std::optional<std::size_t> behind =
      behind_quoted_field(text.substr(offset, window), layout);
  return behind && has_columns(text.substr(offset + *behind, window), layout, columns)
             ? offset + *behind
             : line;
}

}  // namespace dnn
