#include "dnn/data/libsvm_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "dnn/core/error.hpp"
#include "dnn/data/label_table.hpp"
#include "dnn/data/number.hpp"

namespace dnn {

namespace {

std::string_view as_text(std::span<const std::byte> contents) {
  return {reinterpret_cast<const char*>(contents.data()), contents.size()};
}

/// Cuts the first line off `text`, without its comment and blanks at its ends.
std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return trim(line.substr(0, line.find('#')));
}

/// Cuts the first word off `line`.
std::string_view take_word(std::string_view& line) {
  line = trim(line);
  const std::size_t end = line.find_first_of(" \t");
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(word.size());
  return word;
}

template <class T>
class LibsvmParser {
 public:
  LibsvmParser(const std::string& origin, const ReadOptions& options)
      : origin_(origin), options_(options) {}

  void add_line(std::string_view line, std::size_t number) {
    line_ = number;
    const bool labelled = line.substr(0, line.find_first_of(" \t")).find(':') == line.npos;
    if (labelled) {
      add_label(take_word(line));
    }
    if (labelled ? labels_.size() != offsets_.size() : labels_.size() > 0 || !options_.features) {
      fail(labelled
               ? "the line has a label, but those before it have none"
               : "the line starts with " + in_quotes(take_word(line)) + " where a label belongs");
    }
    const std::size_t row_begin = columns_.size();
    for (std::string_view word = take_word(line); !word.empty(); word = take_word(line)) {
      if (!word.starts_with("qid:")) {
        add_value(word);
      }
    }
    check_unique(row_begin);
    offsets_.push_back(columns_.size());
  }

  Dataset finish() {
    const int base = options_.index_base.value_or(smallest_ == 0 ? 0 : 1);
    if (base == 1 && smallest_ == 0) {
      throw InputError(origin_ + ": index 0 appears, but the training data count from 1");
    }
    const std::size_t width = largest_ + 1 - static_cast<std::size_t>(base);
    Dataset data;
    data.origin = origin_;
    data.samples = offsets_.size() - 1;
    data.features =
        options_.features ? std::max(*options_.features, any_ ? width : 0) : (any_ ? width : 0);
    data.element = sizeof(T) == sizeof(float) ? ElementType::f32 : ElementType::f64;
    data.index_base = base;
    for (std::uint32_t& column : columns_) {
      column -= static_cast<std::uint32_t>(base);
    }
    data.values = Bytes::from(std::move(values_));
    data.value_columns = Bytes::from(std::move(columns_));
    data.row_offsets = Bytes::from(std::move(offsets_));
    if (labels_.size() > 0) {
      labels_.finish(data);
    }
    return data;
  }

 private:
  void add_label(std::string_view label) {
    if (label.find(',') != std::string_view::npos) {
      fail(in_quotes(label) + " names several labels; a sample has one");
    }
    labels_.add(label);
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw InputError(fmt::format("{}: line {}: {}", origin_, line_, what));
  }

  void add_value(std::string_view word) {
    const std::size_t colon = word.find(':');
    std::uint32_t index = 0;
    const std::string_view digits = word.substr(0, colon);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
    if (colon == std::string_view::npos || error != std::errc{} ||
        end != digits.data() + digits.size() || index == 0xffffffffU) {
      fail(in_quotes(word) + " is not index:value");
    }
    const std::optional<T> value = parse_number<T>(word.substr(colon + 1));
    if (!value) {
      fail(fmt::format("the value in {} is not a number", in_quotes(word)));
    }
    if (!std::isfinite(*value)) {
      fail(fmt::format("the value in {} is NaN, infinite or too large", in_quotes(word)));
    }
    any_ = true;
    smallest_ = std::min<std::size_t>(smallest_, index);
    largest_ = std::max<std::size_t>(largest_, index);
    columns_.push_back(index);
    values_.push_back(*value);
  }

  void check_unique(std::size_t row_begin) const {
    std::vector<std::uint32_t> row(columns_.begin() + static_cast<std::ptrdiff_t>(row_begin),
                                   columns_.end());
    std::sort(row.begin(), row.end());
    const auto twice = std::adjacent_find(row.begin(), row.end());
    if (twice != row.end()) {
      fail(fmt::format("index {} appears twice", *twice));
    }
  }

  const std::string& origin_;
  const ReadOptions& options_;
  std::size_t line_ = 0;
  bool any_ = false;
  std::size_t smallest_ = Dataset::none;
  std::size_t largest_ = 0;
  std::vector<T> values_;
  std::vector<std::uint32_t> columns_;
  std::vector<std::uint64_t> offsets_{0};
  LabelTable labels_;
};

template <class T>
Dataset parse_libsvm(std::string_view text, const std::string& origin, const ReadOptions& options) {
  LibsvmParser<T> parser(origin, options);
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::string_view line = take_line(text);
    if (!line.empty()) {
      parser.add_line(line, number);
    }
  }
  return parser.finish();
}

}  // namespace

Dataset read_libsvm(std::span<const std::byte> contents, const std::string& origin,
                    const ReadOptions& options) {
  return options.wide ? parse_libsvm<double>(as_text(contents), origin, options)
                      : parse_libsvm<float>(as_text(contents), origin, options);
}

bool looks_like_libsvm(std::span<const std::byte> contents) {
  std::string_view text = as_text(contents);
  std::string_view line;
  while (line.empty() && !text.empty()) {
    line = take_line(text);
  }
  take_word(line);
  const std::string_view second = take_word(line);
  const std::size_t colon = second.find(':');
  return colon != std::string_view::npos && colon > 0 &&
         (second.starts_with("qid:") ||
          second.substr(0, colon).find_first_not_of("0123456789") == std::string_view::npos);
}

}  // namespace dnn
