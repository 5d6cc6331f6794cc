#include "dnn/data/csv_records.hpp"

#include <algorithm>
#include <utility>

#include "dnn/core/error.hpp"

namespace dnn {

namespace {

char find_delimiter(std::string_view first_line) {
  std::ptrdiff_t best_count = 0;
  char best = ',';
  for (const char candidate : {',', ';', '\t'}) {
    std::ptrdiff_t count = 0;
    bool quoted = false;
    for (const char c : first_line) {
      quoted ^= c == '"';
      count += !quoted && c == candidate ? 1 : 0;
    }
    if (count > best_count) {
      best_count = count;
      best = candidate;
    }
  }
  return best;
}

}  // namespace

CsvRecords::CsvRecords(std::string_view text, std::string origin)
    : text_(text), origin_(std::move(origin)) {
  constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
  if (text_.starts_with(byte_order_mark)) {
    text_.remove_prefix(byte_order_mark.size());
  }
  delimiter_ = find_delimiter(text_.substr(0, text_.find('\n')));
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
      throw InputError(origin_ + ": line " + std::to_string(line_) + ", column " +
                       std::to_string(fields_.size() + 1) + ": a quote is opened and never closed");
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

bool CsvRecords::next() {
  while (position_ < text_.size() && (text_[position_] == '\n' || text_[position_] == '\r')) {
    next_line_ += text_[position_] == '\n' ? 1 : 0;
    ++position_;
  }
  fields_.clear();
  unquoted_.clear();
  line_ = next_line_;
  if (position_ >= text_.size()) {
    return false;
  }
  while (true) {
    const bool quoted = position_ < text_.size() && text_[position_] == '"';
    fields_.push_back(quoted ? quoted_field() : plain_field());
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
