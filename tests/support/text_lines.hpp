#pragma once

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

namespace dnn::test {

/// The lines of a text, without their ends.
inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    lines.push_back(line);
  }
  return lines;
}

/// Whether one of the lines has all of `parts`.
inline bool any_has_all(const std::vector<std::string>& lines,
                        const std::vector<std::string>& parts) {
  return std::any_of(lines.begin(), lines.end(), [&parts](const std::string& line) {
    return std::all_of(parts.begin(), parts.end(), [&line](const std::string& part) {
      return line.find(part) != std::string::npos;
    });
  });
}

}  // namespace dnn::test
