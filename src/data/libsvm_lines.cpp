#include "dnn/data/libsvm_lines.hpp"

#include "dnn/data/number.hpp"

namespace dnn {

LibsvmLines::LibsvmLines(std::string_view text)
    : rest_(text), line_end_(text.find('\n') == std::string_view::npos ? '\r' : '\n') {}

bool LibsvmLines::next() {
  line_ = {};
  while (line_.empty() && !rest_.empty()) {
    const std::size_t end = rest_.find(line_end_);
    const std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    line_ = trim(line.substr(0, line.find('#')));
    ++number_;
  }
  return !line_.empty();
}

std::string_view take_word(std::string_view& line) {
  line = trim(line);
  const std::size_t end = line.find_first_of(" \t");
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(word.size());
  return word;
}

bool counts_samples(std::string_view line) {
  std::size_t words = 0;
  for (std::string_view word = take_word(line); !word.empty(); word = take_word(line)) {
    if (++words > 3 || word.find_first_not_of("0123456789") != std::string_view::npos) {
      return false;
    }
  }
  return words == 3;
}

}  // namespace dnn
