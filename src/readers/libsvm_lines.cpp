#include "dnn/readers/libsvm_lines.hpp"

#include <fmt/format.h>

#include "dnn/core/error.hpp"
#include "dnn/data/number.hpp"

namespace dnn {

LibsvmLines::LibsvmLines(std::span<const TableText> texts) : texts_(texts) {
  begin_text();
}

void LibsvmLines::begin_text() {
  const auto contents = texts_[text_].contents;
  rest_ = {reinterpret_cast<const char*>(contents.data()), contents.size()};
  line_end_ = rest_.find('\n') == std::string_view::npos ? '\r' : '\n';
  number_ = 0;
}

bool LibsvmLines::next() {
  line_ = {};
  while (line_.empty()) {
    if (rest_.empty()) {
      if (text_ + 1 == texts_.size()) {
        return false;
      }
      ++text_;
      begin_text();
      continue;
    }
    const std::size_t end = rest_.find(line_end_);
    const std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    line_ = trim(line.substr(0, line.find('#')));
    ++number_;
  }
  return true;
}

std::string LibsvmLines::place() const {
  return fmt::format("{}: line {}", texts_[text_].origin, number_);
}

void LibsvmLines::fail(const std::string& what) const {
  throw InputError(place() + ": " + what);
}

std::string_view take_word(std::string_view& line) {
  line = trim(line);
  const std::size_t end = line.find_first_of(" \t");
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(word.size());
  return word;
}

}  // namespace dnn
