#include "dnn/tables/table_scanner.hpp"

#include <fast_float/fast_float.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <utility>

#include "dnn/core/error.hpp"
#include "dnn/data/number.hpp"

namespace dnn {

namespace {

constexpr std::array powers = {1e0, 1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,
                               1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17};

constexpr std::array<std::uint64_t, 9> integer_powers = {
    1, 10, 100, 1'000, 10'000, 100'000, 1'000'000, 10'000'000, 100'000'000};

/// Appends the digits at `next` to the integer `m` and moves `next` behind them; beyond 19 digits m
/// is meaningless. Looks at eight characters at a time, in the bytes of one integer.
inline void take_digits(const char*& next, const char* end, std::uint64_t& m) {
  constexpr std::size_t eight = sizeof(std::uint64_t);
  while (std::endian::native == std::endian::little &&
         static_cast<std::size_t>(end - next) >= eight) {
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, next, eight);
    bytes ^= 0x3030303030303030;  // digits become 0 to 9, which 0x76 does not bring to 0x80
    const std::uint64_t others = ((bytes + 0x7676767676767676) | bytes) & 0x8080808080808080;
    const auto digits = static_cast<std::size_t>(std::countr_zero(others)) / 8;  // 8 if others is 0
    if (digits == 0) {
      return;
    }
    bytes <<= 8 * (eight - digits);  // zeros come before the digits
    // Neighbours become numbers below 100, those below 10^4, and those one number.
    bytes = (bytes * ((10U << 8U) + 1) >> 8U) & 0x00ff00ff00ff00ff;
    bytes = (bytes * ((100U << 16U) + 1) >> 16U) & 0x0000ffff0000ffff;
    bytes = bytes * ((std::uint64_t{10'000} << 32U) + 1) >> 32U;
    m = m * integer_powers[digits] + bytes;
    next += digits;
    if (digits < eight) {
      return;
    }
  }
  for (; next != end; ++next) {
    const auto digit = static_cast<unsigned>(*next) - '0';
    if (digit > 9) {
      return;
    }
    m = 10 * m + digit;
  }
}

/// The number at `at` if it is an integer or has a decimal point and no exponent, in few digits,
/// as nearly all are; moves `at` behind it. Both m and 10^k are exact, so that m / 10^k is rounded
/// once, like the library's result (Clinger, 1990).
bool short_decimal(const char*& at, const char* end, double& value) {
  const char* next = at;
  const bool negative = next != end && *next == '-';
  next += negative ? 1 : 0;
  const char* const digits = next;
  std::uint64_t m = 0;
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (end - next >= 2 && is_digit(next[0]) && next[1] == '.') {
    // Most scaled numbers. The processor foresees this branch and need not wait for a count.
    m = static_cast<std::uint64_t>(*next++ - '0');
  } else {
    take_digits(next, end, m);
  }
  const auto before = static_cast<std::size_t>(next - digits);
  std::size_t after = 0;
  if (next != end && *next == '.') {
    const char* const point = next++;
    take_digits(next, end, m);
    after = static_cast<std::size_t>(next - point - 1);
  }
  // With 17 digits m cannot have overflown.
  if (before + after == 0 || before + after >= powers.size() || m >= (std::uint64_t{1} << 53) ||
      (next != end && (*next == 'e' || *next == 'E'))) {
    return false;
  }
  const double magnitude = static_cast<double>(m) / powers[after];
  value = negative ? -magnitude : magnitude;
  at = next;
  return true;
}

}  // namespace

TableScanner::TableScanner(std::string_view text, const Dialect& dialect, std::string origin,
                           std::size_t lines_before)
    : next_(text.data()),
      begin_(text.data()),
      end_(text.data() + text.size()),
      dialect_(dialect),
      origin_(std::move(origin)),
      next_line_(lines_before + 1) {}

bool TableScanner::is_field_end(const char* at) const {
  return at == end_ || *at == dialect_.delimiter || *at == '\n' || *at == '\r' ||
         (dialect_.delimiter == ' ' && *at == '\t');
}

/// Blanks that belong to no field. A tab may be the delimiter.
void TableScanner::skip_blanks() {
  const bool tabs = dialect_.delimiter != '\t';
  while (next_ != end_ && (*next_ == ' ' || (tabs && *next_ == '\t'))) {
    ++next_;
  }
}

void TableScanner::skip_line_end() {
  if (next_ == end_) {
    return;
  }
  const bool carriage_return = *next_ == '\r';
  ++next_;
  if (carriage_return && next_ != end_ && *next_ == '\n') {
    ++next_;
  }
  ++next_line_;
}

bool TableScanner::next_record() {
  if (has_field_) {
    skip_fields();
  }
  while (next_ != end_) {
    record_begin_ = static_cast<std::size_t>(next_ - begin_);
    const bool comment = dialect_.comments && *next_ == '#';
    if (comment) {
      next_ = std::find_if(next_, end_, [](char c) { return c == '\n' || c == '\r'; });
    } else {
      skip_blanks();
    }
    if (next_ != end_ && *next_ != '\n' && *next_ != '\r') {
      record_line_ = next_line_;
      fields_read_ = 0;
      has_field_ = true;
      open_end_ = false;
      return true;
    }
    skip_line_end();
  }
  return false;
}

/// Passes over what ends a field.
void TableScanner::finish_field() {
  ++fields_read_;
  if (dialect_.delimiter == ' ') {
    skip_blanks();
    has_field_ = next_ != end_ && *next_ != '\n' && *next_ != '\r';
  } else {
    has_field_ = next_ != end_ && *next_ == dialect_.delimiter;
    next_ += has_field_ ? 1 : 0;
  }
  if (!has_field_) {
    open_end_ = next_ == end_;
    skip_line_end();
  }
}

bool TableScanner::number(double& value) {
  const char* at = next_;
  while (at != end_ && *at == ' ') {
    ++at;
  }
  if (!short_decimal(at, end_, value)) {
    const auto [after, error] = fast_float::from_chars(at, end_, value);
    if (error != std::errc{} || !std::isfinite(value)) {
      return false;
    }
    at = after;
  }
  if (at != end_ && *at == dialect_.delimiter && *at != ' ') {  // most fields
    next_ = at + 1;
    ++fields_read_;
    return true;
  }
  if (!is_field_end(at)) {
    return false;
  }
  next_ = at;
  finish_field();
  return true;
}

std::string_view TableScanner::quoted() {
  unquoted_.clear();
  ++next_;
  while (true) {
    const char* quote = std::find(next_, end_, '"');
    if (quote == end_) {
      throw InputError(fmt::format("{}: line {}, column {}: a quote is opened and never closed",
                                   origin_, record_line_, fields_read_ + 1));
    }
    unquoted_.append(next_, quote);
    next_ = quote + 1;
    if (next_ == end_ || *next_ != '"') {
      break;
    }
    unquoted_ += '"';  // a doubled quote stands for one
    ++next_;
  }
  const auto lines = [this](char c) { return std::count(unquoted_.begin(), unquoted_.end(), c); };
  next_line_ += static_cast<std::size_t>(std::max(lines('\n'), lines('\r')));
  const char* after = next_;
  while (!is_field_end(next_)) {
    ++next_;
  }
  unquoted_.append(trim({after, static_cast<std::size_t>(next_ - after)}));
  return trim(unquoted_);
}

std::string_view TableScanner::field() {
  skip_blanks();
  std::string_view text;
  if (next_ != end_ && *next_ == '"') {
    text = quoted();
  } else {
    const char* first = next_;
    while (!is_field_end(next_)) {
      ++next_;
    }
    text = trim({first, static_cast<std::size_t>(next_ - first)});
  }
  finish_field();
  return text;
}

std::size_t TableScanner::skip_fields() {
  while (has_field_) {
    (void)field();
  }
  return fields_read_;
}

}  // namespace dnn
