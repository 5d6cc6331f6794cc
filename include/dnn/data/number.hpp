#pragma once

#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string_view>

namespace dnn {

/// `text` without blanks at its ends.
[[nodiscard]] inline std::string_view trim(std::string_view text) {
  constexpr std::string_view blanks = " \t\r";
  const std::size_t first = text.find_first_not_of(blanks);
  return first == std::string_view::npos
             ? std::string_view{}
             : text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

/// The number that the whole of `text` spells (blanks around it aside), or nothing. Also reads
/// "nan" and "inf"; whoever needs a finite number checks for it. A number too large for T is inf.
template <class T>
[[nodiscard]] std::optional<T> parse_number(std::string_view text) {
  text = trim(text);
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) {
      return std::nullopt;
    }
  }
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size() || text.empty() || error == std::errc::invalid_argument) {
    return std::nullopt;
  }
  if (error == std::errc::result_out_of_range) {
    // from_chars does not say whether it is too large or too small: a double decides for a float.
    double wide = 0;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), wide);
    const bool tiny = result.ec == std::errc{} ? std::abs(wide) < 1
                                               : text.find("e-") != std::string_view::npos ||
                                                     text.find("E-") != std::string_view::npos;
    return tiny ? T{0} : static_cast<T>(HUGE_VAL);
  }
  return value;
}

/// The integer that `text` spells, "3.0" and "+3" included, or nothing.
[[nodiscard]] inline std::optional<std::int64_t> parse_integer(std::string_view text) {
  const std::optional<double> number = parse_number<double>(text);
  if (!number || !(std::abs(*number) < 0x1p53) || *number != std::floor(*number)) {
    return std::nullopt;
  }
  return static_cast<std::int64_t>(*number);
}

}  // namespace dnn
