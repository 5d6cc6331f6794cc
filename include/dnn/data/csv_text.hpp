#pragma once

#include <string>

namespace dnn {

/// `text` as a CSV field: in quotes where it holds a comma, a quote or a line end (RFC 4180).
[[nodiscard]] inline std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) {
    return text;
  }
  std::string quoted = "\"";
  for (const char c : text) {
    quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  }
  return quoted + '"';
}

/// The same for a name from data, in a file that people open in spreadsheets. A text that a
/// spreadsheet would run as a formula (one that begins with = + - @, a tab or a carriage return and
/// is no number) gets an apostrophe in front of it, which a spreadsheet takes for "this is text".
[[nodiscard]] inline std::string spreadsheet_field(const std::string& text) {
  const bool begins_formula =
      !text.empty() && std::string("=+-@\t\r").find(text[0]) != std::string::npos;
  const bool is_number = text.find_first_not_of("0123456789+-.eE") == std::string::npos &&
                         text.find_first_of("0123456789") != std::string::npos &&
                         text.find_first_of("+-", 1) == std::string::npos;
  return csv_field(begins_formula && !is_number ? "'" + text : text);
}

}  // namespace dnn
