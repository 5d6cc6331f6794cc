#pragma once

#include <string>

namespace dnn::test {

/// A word for the shell, whatever it holds.
inline std::string quoted(const std::string& word) {
  std::string text = "'";
  for (const char c : word) {
    text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return text + "'";
}

}  // namespace dnn::test
