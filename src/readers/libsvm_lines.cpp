#include "dnn/readers/libsvm_lines.hpp"

#include <fmt/format.h>

#include <utility>

#include "dnn/core/error.hpp"
#include "dnn/data/number.hpp"

namespace dnn {

LibsvmLines::LibsvmLines(std::string_view text, std::string origin)
    : rest_(text),
      line_end_(text.find('\n') == std::string_view::npos ? '\r' : '\n'),
      origin_(std::move(origin)) {}

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

void LibsvmLines::fail(const std::string& what) const {
  throw InputError(fmt::format("{}: line {}: {}", origin_, number_, what));
}

std::string_view take_word(std::string_view& line) {
  line = trim(line);
  const std::size_t end = line.find_first_of(" \t");
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(word.size());
  return word;
}

}  // namespace dnn
