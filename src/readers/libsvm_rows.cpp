#include "dnn/readers/libsvm_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include "dnn/core/error.hpp"
#include "dnn/data/number.hpp"

namespace dnn {

namespace {

constexpr double exact_below = 0x1p24;  ///< float holds every integer up to here

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

/// Whether `value` needs no second look: finite, and not so large that float may have changed it.
template <class T>
bool is_usual(T value) {
  constexpr T limit =
      std::is_same_v<T, float> ? T{exact_below} : std::numeric_limits<T>::infinity();
  return std::abs(value) < limit;
}

}  // namespace

template <class T>
LibsvmRows<T>::LibsvmRows(const LibsvmLines& lines, std::size_t most_values,
                          const ScratchMemory& memory)
    : lines_(lines),
      values_(ScratchAllocator<T>(memory)),
      columns_(ScratchAllocator<std::uint32_t>(memory)) {
  values_.reserve(most_values);
  columns_.reserve(most_values);
}

template <class T>
void LibsvmRows<T>::add(std::string_view words) {
  const std::size_t row_begin = columns_.size();
  bool ascending = true;
  const char* const end = words.data() + words.size();
  for (const char* next = words.data(); next != end;) {
    if (is_blank(*next)) {
      ++next;
    } else if (add_word(next, end) && columns_.size() > row_begin + 1) {
      ascending &= columns_[columns_.size() - 2] < columns_.back();
    }
  }
  if (!ascending) {
    sort_row(row_begin);
  }
  offsets_.push_back(columns_.size());
}

/// Adds the word that begins at `next` and goes to its end; false if it holds no value.
template <class T>
bool LibsvmRows<T>::add_word(const char*& next, const char* end) {
  const char* const word = next;
  std::uint32_t index = 0;
  const auto [colon, index_error] = std::from_chars(word, end, index);
  if (index_error == std::errc{} && colon != end && *colon == ':' && index != no_index) {
    T value{};
    const auto [stop, value_error] = std::from_chars(colon + 1, end, value);
    if (value_error == std::errc{} && (stop == end || is_blank(*stop)) && is_usual(value)) {
      next = stop;
      add_value(index, value);
      return true;
    }
  }
  next = std::find_if(word, end, is_blank);
  return add_unusual({word, static_cast<std::size_t>(next - word)});
}

/// Adds the value of any word, or says what is wrong with it; false for qid:N.
template <class T>
bool LibsvmRows<T>::add_unusual(std::string_view word) {
  if (word.starts_with("qid:")) {
    query_line_ = query_line_ ? query_line_ : lines_.place();
    return false;
  }
  const std::size_t colon = word.find(':');
  const std::string_view digits = word.substr(0, colon);
  std::uint32_t index = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
  if (colon == std::string_view::npos || error != std::errc{} ||
      end != digits.data() + digits.size() || index == no_index) {
    lines_.fail(in_quotes(word) + " is not index:value");
  }
  const std::string_view text = word.substr(colon + 1);
  const std::optional<double> exact = parse_number<double>(text);
  if (!exact) {
    lines_.fail(fmt::format("the value in {} is not a number", in_quotes(word)));
  }
  if (!std::isfinite(*exact)) {
    lines_.fail(fmt::format("the value in {} is NaN, infinite or too large", in_quotes(word)));
  }
  const T value = *parse_number<T>(text);
  needs_double_ |= std::abs(*exact) >= exact_below && static_cast<double>(value) != *exact;
  add_value(index, value);
  return true;
}

template <class T>
void LibsvmRows<T>::add_value(std::uint32_t index, T value) {
  smallest_ = std::min(smallest_, index);
  largest_ = std::max(largest_, index);
  columns_.push_back(index);
  values_.push_back(value);
}

/// Puts the features of a row into ascending order: sums take them in that order.
template <class T>
void LibsvmRows<T>::sort_row(std::size_t row_begin) {
  std::vector<std::pair<std::uint32_t, T>> row;
  for (std::size_t k = row_begin; k < columns_.size(); ++k) {
    row.emplace_back(columns_[k], values_[k]);
  }
  std::sort(row.begin(), row.end());
  for (std::size_t i = 0; i < row.size(); ++i) {
    std::tie(columns_[row_begin + i], values_[row_begin + i]) = row[i];
  }
  const auto twice =
      std::adjacent_find(columns_.begin() + static_cast<std::ptrdiff_t>(row_begin), columns_.end());
  if (twice != columns_.end()) {
    lines_.fail(fmt::format("index {} appears twice", *twice));
  }
}

template <class T>
void LibsvmRows<T>::finish(Dataset& data, const ReadOptions& options) {
  struct Indices {
    std::uint32_t smallest;
    std::uint32_t largest;
    bool any;
  };
  bool any = false;
  for (const Indices& member :
       options.team.exchange_value(Indices{smallest_, largest_, !columns_.empty()})) {
    smallest_ = std::min(smallest_, member.smallest);
    largest_ = std::max(largest_, member.largest);
    any = any || member.any;
  }
  const int base = options.index_base.value_or(smallest_ == 0 ? 0 : 1);
  if (base == 1 && smallest_ == 0) {
    throw InputError(data.origin + ": index 0 appears, but the training data count from 1");
  }
  const std::size_t width = !any ? 0 : std::size_t{largest_} + 1 - static_cast<std::size_t>(base);
  for (std::uint32_t& column : columns_) {
    column -= static_cast<std::uint32_t>(base);
  }
  const ReadingTeam::Places samples = options.team.places_of(size());
  data.samples = samples.total;
  data.features = std::max(options.features.value_or(0), width);
  data.element = std::is_same_v<T, float> ? ElementType::f32 : ElementType::f64;
  data.index_base = base;
  data.values = Bytes::from(std::move(values_));
  data.value_columns = Bytes::from(std::move(columns_));
  data.row_offsets = offsets_of_all(options.team, samples);
  if (!options.team.is_alone()) {
    data.held = samples.own;
  }
}

template <class T>
Bytes LibsvmRows<T>::offsets_of_all(const ReadingTeam& team, const ReadingTeam::Places& samples) {
  if (team.is_alone()) {
    return Bytes::from(std::move(offsets_));
  }
  const ReadingTeam::Places values = team.places_of(offsets_.back());
  std::vector<std::uint64_t> all(samples.total + 1, values.total);
  for (std::size_t i = 0; i < samples.own.size(); ++i) {
    all[samples.own.begin + i] = values.own.begin + offsets_[i];
  }
  offsets_ = {};
  team.complete(std::as_writable_bytes(std::span(all)).first(samples.total * sizeof(std::uint64_t)),
                samples, sizeof(std::uint64_t));
  return Bytes::from(std::move(all));
}

template class LibsvmRows<float>;
template class LibsvmRows<double>;

}  // namespace dnn
