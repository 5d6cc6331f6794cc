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

}  // namespace dnn
