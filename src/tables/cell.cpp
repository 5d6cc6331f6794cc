#include "dnn/tables/cell.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>

#include "dnn/data/number.hpp"

namespace dnn {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Cuts `ending` off the end of `text`; false where it has another end.
bool take_suffix(std::string_view& text, std::string_view ending) {
  if (!text.ends_with(ending)) {
    return false;
  }
  text.remove_suffix(ending.size());
  text = trim(text);
  return true;
}

bool take_prefix(std::string_view& text, std::string_view beginning) {
  if (!text.starts_with(beginning)) {
    return false;
  }
  text.remove_prefix(beginning.size());
  text = trim(text);
  return true;
}

/// The separator of groups of digits at the beginning of `text`, or nothing.
std::string_view group_separator(std::string_view text, char decimal) {
  constexpr std::array<std::string_view, 5> separators = {" ", "'", "\xc2\xa0", "\xe2\x80\xaf",
                                                          "\xe2\x80\x89"};
  for (const std::string_view separator : separators) {
    if (text.starts_with(separator)) {
      return separator;
    }
  }
  const char other = decimal == '.' ? ',' : '.';
  return text.starts_with(other) ? text.substr(0, 1) : std::string_view{};
}

/// Moves the digits of an integer from `text` to `plain`, without the separators of its groups;
/// false where the groups have not three digits each, or the first begins with 0: "0,125" is no
/// thousands.
bool take_integer(std::string_view& text, char decimal, std::string& plain) {
  std::size_t digits = 0;
  std::size_t groups = 0;
  std::string_view separator;
  const bool begins_with_0 = text.starts_with('0');
  while (!text.empty()) {
    if (is_digit(text.front())) {
      plain += text.front();
      text.remove_prefix(1);
      ++digits;
      continue;
    }
    const std::string_view next = group_separator(text, decimal);
    const bool first = groups == 0;
    if (next.empty() || text.size() == next.size() || !is_digit(text[next.size()])) {
      break;
    }
    if (begins_with_0 || (first ? digits == 0 || digits > 3 : digits != 3) ||
        (!first && next != separator)) {
      return false;
    }
    separator = next;
    ++groups;
    digits = 0;
    text.remove_prefix(next.size());
  }
  return groups == 0 || digits == 3;
}

}  // namespace

std::string in_lower_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::vector<std::string> split_words(std::string_view list, char separator) {
  std::vector<std::string> words;
  std::size_t begin = 0;
  while (begin <= list.size()) {
    const std::size_t end = std::min(list.find(separator, begin), list.size());
    words.emplace_back(trim(list.substr(begin, end - begin)));
    begin = end + 1;
  }
  return words;
}

MissingWords::MissingWords(const std::vector<std::string>& words)
    : words_(words.begin(), words.end()) {
  for (const std::string& word : words) {
    longest_ = std::max(longest_, word.size());
    if (const auto number = parse_number<double>(word); number && std::isfinite(*number)) {
      numbers_.push_back(*number);
    }
  }
}

std::optional<double> parse_cell_number(std::string_view text, char decimal) {
  constexpr std::string_view typographic_minus = "\xe2\x88\x92";
  text = trim(text);
  std::string plain;
  if (take_prefix(text, typographic_minus)) {
    plain = "-";
  } else if (text.starts_with('-') || text.starts_with('+')) {
    plain = text.front() == '-' ? "-" : "";
    text = trim(text.substr(1));
  }
  const bool money =
      take_prefix(text, "$") || take_prefix(text, "\xe2\x82\xac") || take_prefix(text, "\xc2\xa3");
  const bool percent = !money && take_suffix(text, "%");
  if (!money && !percent) {
    (void)(take_suffix(text, "\xe2\x82\xac") || take_suffix(text, "$"));
  }
  if (text.starts_with('-') || text.starts_with('+')) {
    return std::nullopt;
  }
  if (!text.empty() && std::isalpha(static_cast<unsigned char>(text.front())) != 0) {
    return parse_number<double>(plain.append(text));  // nan, inf
  }
  if (!take_integer(text, decimal, plain)) {
    return std::nullopt;
  }
  for (const char c : text) {
    if (c == decimal) {
      plain += '.';
    } else if (c == 'D' || c == 'd') {
      plain += 'e';  // Fortran's double precision
    } else if (is_digit(c) || c == 'e' || c == 'E' || c == '+' || c == '-') {
      plain += c == 'E' ? 'e' : c;
    } else {
      return std::nullopt;
    }
  }
  if (const std::size_t plus = plain.find("e+"); plus != std::string::npos) {
    plain.erase(plus + 1, 1);
  }
  const std::optional<double> value = parse_number<double>(plain);
  return value && percent ? *value / 100 : value;
}

}  // namespace dnn
