#include "dnn/data/libsvm_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <type_traits>

#include "dnn/core/error.hpp"
#include "dnn/data/label_table.hpp"
#include "dnn/data/libsvm_lines.hpp"
#include "dnn/data/number.hpp"

namespace dnn {

namespace {

constexpr const char* one_label_each =
    "multi-label data is not supported yet. Write one label on each line";

std::string_view as_text(std::span<const std::byte> contents) {
  return {reinterpret_cast<const char*>(contents.data()), contents.size()};
}

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

template <class T>
class LibsvmParser {
 public:
  LibsvmParser(std::string_view text, const std::string& origin, const ReadOptions& options)
      : lines_(text), origin_(origin), options_(options) {
    const auto most = static_cast<std::size_t>(std::count(text.begin(), text.end(), ':'));
    values_.reserve(most);
    columns_.reserve(most);
  }

  /// Reads all lines. With float: until a value needs double.
  void read() {
    while (!needs_double_ && lines_.next()) {
      if (samples() == 0 && counts_samples(lines_.line())) {
        fail(std::string("the line counts samples, features and labels; ") + one_label_each +
             ", and remove this line");
      }
      add_line(lines_.line());
    }
  }

  /// Whether the line just read holds a value of 2^24 or more that float changes.
  [[nodiscard]] bool needs_double() const { return needs_double_; }
  [[nodiscard]] std::size_t line_number() const { return lines_.number(); }

  Dataset finish() {
    if (labels_.size() == 0 && samples() > 0 && !options_.features) {
      throw InputError(origin_ +
                       ": no line has a label; training needs one at the beginning of each line");
    }
    const int base = options_.index_base.value_or(smallest_ == 0 ? 0 : 1);
    if (base == 1 && smallest_ == 0) {
      throw InputError(origin_ + ": index 0 appears, but the training data count from 1");
    }
    const std::size_t width =
        columns_.empty() ? 0 : std::size_t{largest_} + 1 - static_cast<std::size_t>(base);
    Dataset data;
    data.origin = origin_;
    data.samples = samples();
    data.features = std::max(options_.features.value_or(0), width);
    data.element = std::is_same_v<T, float> ? ElementType::f32 : ElementType::f64;
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
    if (query_line_ > 0) {
      data.notes.push_back(
          fmt::format("{}: qid:N is ignored (first on line {})", origin_, query_line_));
    }
    return data;
  }

 private:
  [[nodiscard]] std::size_t samples() const { return offsets_.size() - 1; }

  [[noreturn]] void fail(const std::string& what) const {
    throw InputError(fmt::format("{}: line {}: {}", origin_, lines_.number(), what));
  }

  void add_line(std::string_view line) {
    std::string_view rest = line;
    const std::string_view first = take_word(rest);
    const bool labelled = first.find(':') == std::string_view::npos;
    if (samples() > 0 && labelled != (labels_.size() > 0)) {
      fail(fmt::format("the line {} label, but {}; {}, or none on any line to predict",
                       labelled ? "has a" : "starts with " + in_quotes(first) + " and has no",
                       labelled ? "those before it have none" : "those before it have one",
                       one_label_each));
    }
    if (labelled) {
      if (first.find(',') != std::string_view::npos) {
        fail(in_quotes(first) + " names several labels; " + one_label_each);
      }
      labels_.add(first);
      line = rest;
    }
    add_values(line);
    offsets_.push_back(columns_.size());
  }

  void add_values(std::string_view line) {
    const std::size_t row_begin = columns_.size();
    bool ascending = true;
    std::uint32_t before = 0;
    const char* const end = line.data() + line.size();
    for (const char* next = line.data(); next != end;) {
      if (is_blank(*next)) {
        ++next;
      } else if (add_value(next, end)) {
        ascending &= columns_.size() == row_begin + 1 || columns_.back() > before;
        before = columns_.back();
      }
    }
    if (!ascending) {
      check_unique(row_begin);
    }
  }

  /// Adds the word that begins at `next` and goes to its end; false where it is no value.
  bool add_value(const char*& next, const char* end) {
    const char* const word = next;
    std::uint32_t index = 0;
    T value{};
    const auto [colon, index_error] = std::from_chars(word, end, index);
    if (index_error == std::errc{} && colon != end && *colon == ':') {
      const auto [stop, value_error] = std::from_chars(colon + 1, end, value);
      if (value_error == std::errc{} && (stop == end || is_blank(*stop)) && is_storable(value) &&
          index != no_index) {
        next = stop;
        add(index, value);
        return true;
      }
    }
    next = std::find_if(word, end, is_blank);
    return add_unusual({word, static_cast<std::size_t>(next - word)});
  }

  /// Adds any word, or says what is wrong with it.
  bool add_unusual(std::string_view word) {
    if (word.starts_with("qid:")) {
      query_line_ = query_line_ > 0 ? query_line_ : lines_.number();
      return false;
    }
    const std::size_t colon = word.find(':');
    std::uint32_t index = 0;
    const std::string_view digits = word.substr(0, colon);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
    if (colon == std::string_view::npos || error != std::errc{} ||
        end != digits.data() + digits.size() || index == no_index) {
      fail(in_quotes(word) + " is not index:value");
    }
    const std::string_view text = word.substr(colon + 1);
    const std::optional<T> value = parse_number<T>(text);
    if (!value) {
      fail(fmt::format("the value in {} is not a number", in_quotes(word)));
    }
    const double wide = *parse_number<double>(text);
    if (!std::isfinite(wide)) {
      fail(fmt::format("the value in {} is NaN, infinite or too large", in_quotes(word)));
    }
    needs_double_ |= std::abs(wide) >= exact_below && static_cast<double>(*value) != wide;
    add(index, *value);
    return true;
  }

  /// Whether `value` needs no second look: finite, and not so large that T may have changed it.
  static bool is_storable(T value) {
    return std::abs(value) < (std::is_same_v<T, float> ? static_cast<T>(exact_below)
                                                       : std::numeric_limits<T>::infinity());
  }

  void add(std::uint32_t index, T value) {
    smallest_ = std::min(smallest_, index);
    largest_ = std::max(largest_, index);
    columns_.push_back(index);
    values_.push_back(value);
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

  static constexpr std::uint32_t no_index = 0xffffffffU;
  static constexpr double exact_below = 0x1p24;  ///< float holds all integers up to here

  LibsvmLines lines_;
  const std::string& origin_;
  const ReadOptions& options_;
  bool needs_double_ = false;
  std::size_t query_line_ = 0;  ///< the first one with qid:N
  std::uint32_t smallest_ = no_index;
  std::uint32_t largest_ = 0;
  std::vector<T> values_;
  std::vector<std::uint32_t> columns_;
  std::vector<std::uint64_t> offsets_{0};
  LabelTable labels_;
};

/// Whether `word` is "index:value" or "qid:N", as far as a look at it tells.
bool looks_like_value(std::string_view word) {
  const std::size_t colon = word.find(':');
  const std::string_view index = word.substr(0, colon);
  return colon != std::string_view::npos && colon > 0 &&
         (index == "qid" || index.find_first_not_of("0123456789") == std::string_view::npos) &&
         word.find_first_of(",;:", colon + 1) == std::string_view::npos;
}

/// Whether `word` can be the label, or several, in front of "index:value".
bool looks_like_label(std::string_view word) {
  return word.find(';') == std::string_view::npos &&
         (word.find(',') == std::string_view::npos ||
          (word.back() != ',' && word.find_first_not_of("0123456789,") == std::string_view::npos));
}

}  // namespace

Dataset read_libsvm(std::span<const std::byte> contents, const std::string& origin,
                    const ReadOptions& options) {
  const std::string_view text = as_text(contents);
  std::string note;
  if (!options.wide) {
    LibsvmParser<float> parser(text, origin, options);
    parser.read();
    if (!parser.needs_double()) {
      return parser.finish();
    }
    note = fmt::format("{}: values are stored as double, since float would change one on line {}",
                       origin, parser.line_number());
  }
  LibsvmParser<double> parser(text, origin, options);
  parser.read();
  Dataset data = parser.finish();
  if (!note.empty()) {
    data.notes.push_back(note);
  }
  return data;
}

bool looks_like_libsvm(std::span<const std::byte> contents) {
  LibsvmLines lines(as_text(contents));
  for (bool first_line = true; lines.next(); first_line = false) {
    std::string_view rest = lines.line();
    const std::string_view first = take_word(rest);
    const std::string_view second = take_word(rest);
    const std::string_view third = take_word(rest);
    if (looks_like_value(first)) {
      return second.empty() || looks_like_value(second);
    }
    if (looks_like_value(second)) {  // a table may hold "12:30", but not only such cells
      return looks_like_label(first) && (third.empty() || third.find(':') != third.npos);
    }
    const bool lone = second.empty() && first.find_first_of(",;") == std::string_view::npos;
    if (!lone && !(first_line && counts_samples(lines.line()))) {
      return false;
    }
  }
  return false;
}

}  // namespace dnn
