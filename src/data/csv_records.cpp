#include "dnn/data/csv_records.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "dnn/core/error.hpp"

namespace dnn {

namespace {

/// The commonest delimiter of the first line that is not empty. Commas that are as many as another
/// candidate are decimal ones ("1,5;2,5;a").
char find_delimiter(std::string_view text) {
  constexpr std::string_view candidates = ";\t,";
  std::array<std::size_t, candidates.size()> counts{};
  bool quoted = false;
  for (std::size_t i = text.find_first_not_of("\r\n"); i < text.size(); ++i) {
    if (text[i] == '\n' && !quoted) {
      break;
    }
    quoted ^= text[i] == '"';
    if (const std::size_t c = candidates.find(text[i]); !quoted && c != std::string_view::npos) {
      ++counts[c];
    }
  }
  const auto most = std::max_element(counts.begin(), counts.end());
  return *most == 0 ? ',' : candidates[static_cast<std::size_t>(most - counts.begin())];
}

}  // namespace

CsvRecords::CsvRecords(std::string_view text, std::string origin)
    : text_(text), origin_(std::move(origin)) {
  constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
  if (text_.starts_with(byte_order_mark)) {
    text_.remove_prefix(byte_order_mark.size());
  }
  if (text_.find('\n') == std::string_view::npos && text_.find('\r') + 1 < text_.size()) {
    throw InputError(origin_ +
                     ": the lines end with a carriage return alone; save the file with line feeds");
  }
  delimiter_ = find_delimiter(text_);
}

std::string_view CsvRecords::plain_field() {
  const std::size_t begin = position_;
  while (position_ < text_.size() && text_[position_] != delimiter_ && text_[position_] != '\n') {
    ++position_;
  }
  std::string_view field = text_.substr(begin, position_ - begin);
  if (field.ends_with('\r')) {
    field.remove_suffix(1);
  }
  return field;
}

std::string_view CsvRecords::quoted_field() {
  std::string& field = unquoted_.emplace_back();
  ++position_;
  while (true) {
    const std::size_t quote = text_.find('"', position_);
    if (quote == std::string_view::npos) {
      throw InputError(fmt::format("{}: line {}, column {}: a quote is opened and never closed",
                                   origin_, line_, fields_.size() + 1));
    }
    field.append(text_.substr(position_, quote - position_));
    position_ = quote + 1;
    if (position_ == text_.size() || text_[position_] != '"') {
      break;
    }
    field += '"';  // a doubled quote stands for one
    ++position_;
  }
  next_line_ += static_cast<std::size_t>(std::count(field.begin(), field.end(), '\n'));
  field.append(plain_field());
  return field;
}

/// Goes to the beginning of the next line that holds more than blanks.
void CsvRecords::skip_empty_lines() {
  while (true) {
    const std::size_t end = text_.find_first_not_of(" \r", position_);
    if (end == std::string_view::npos) {
      position_ = text_.size();
    }
    if (end == std::string_view::npos || text_[end] != '\n') {
      return;
    }
    position_ = end + 1;
    ++next_line_;
  }
}

/// Goes to the quote with which the field begins, if it does so, blanks before it aside.
bool CsvRecords::at_quote() {
  const std::size_t begin = text_.find_first_not_of(' ', position_);
  const bool quoted = begin != std::string_view::npos && text_[begin] == '"';
  position_ = quoted ? begin : position_;
  return quoted;
}

bool CsvRecords::next() {
  skip_empty_lines();
  fields_.clear();
  unquoted_.clear();
  line_ = next_line_;
  if (position_ >= text_.size()) {
    return false;
  }
  while (true) {
    fields_.push_back(at_quote() ? quoted_field() : plain_field());
    if (position_ >= text_.size() || text_[position_] == '\n') {
      break;
    }
    ++position_;  // the delimiter
  }
  if (position_ < text_.size()) {
    ++position_;
  }
  ++next_line_;
  return true;
}

}  // namespace dnn
