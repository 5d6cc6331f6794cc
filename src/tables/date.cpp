#include "dnn/tables/date.hpp"

#include <array>
#include <cctype>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "dnn/data/calendar.hpp"
#include "dnn/data/number.hpp"

namespace dnn {

namespace {

/// Takes a text apart from its beginning.
class Parts {
 public:
  explicit Parts(std::string_view text) : rest_(text) {}

  [[nodiscard]] bool empty() const { return rest_.empty(); }
  [[nodiscard]] char front() const { return rest_.empty() ? '\0' : rest_.front(); }

  /// An integer of `least` to `most` digits, all that stand there.
  std::optional<int> digits(std::size_t least, std::size_t most) {
    std::size_t count = 0;
    int value = 0;
    while (count < rest_.size() && rest_[count] >= '0' && rest_[count] <= '9') {
      if (++count > most) {
        return std::nullopt;
      }
      value = 10 * value + (rest_[count - 1] - '0');
    }
    if (count < least) {
      return std::nullopt;
    }
    rest_.remove_prefix(count);
    return value;
  }

  bool take(char c) {
    const bool there = front() == c;
    rest_.remove_prefix(there ? 1 : 0);
    return there;
  }

  void blanks() { rest_ = trim(rest_); }

  /// The month that the word at the beginning names, 1 to 12, in English, at least three letters.
  std::optional<unsigned> month_name() {
    constexpr std::array<std::string_view, 12> names = {
        "january", "february", "march",     "april",   "may",      "june",
        "july",    "august",   "september", "october", "november", "december"};
    std::size_t letters = 0;
    std::string word;
    while (letters < rest_.size() &&
           std::isalpha(static_cast<unsigned char>(rest_[letters])) != 0) {
      word += static_cast<char>(std::tolower(static_cast<unsigned char>(rest_[letters++])));
    }
    for (std::size_t m = 0; m < names.size(); ++m) {
      if (letters >= 3 && names[m].starts_with(word)) {
        rest_.remove_prefix(letters);
        take('.');
        return static_cast<unsigned>(m + 1);
      }
    }
    return std::nullopt;
  }

  /// The digits after a decimal point, as a fraction.
  double fraction() {
    double value = 0;
    double scale = 1;
    while (front() >= '0' && front() <= '9') {
      scale /= 10;
      value += scale * (rest_.front() - '0');
      rest_.remove_prefix(1);
    }
    return value;
  }

 private:
  std::string_view rest_;
};

std::optional<double> whole_days(std::optional<int> year, std::optional<int> month,
                                 std::optional<int> day) {
  if (!year || !month || !day ||
      !is_date(*year, static_cast<unsigned>(*month), static_cast<unsigned>(*day))) {
    return std::nullopt;
  }
  return seconds_a_day * static_cast<double>(days_since_1970(*year, static_cast<unsigned>(*month),
                                                             static_cast<unsigned>(*day)));
}

/// 2024-04-01 or 2024/04/01, of which the year is `year`.
std::optional<double> year_first(Parts& parts, int year) {
  const char separator = parts.front();
  parts.take(separator);
  const auto month = parts.digits(1, 2);
  if (parts.empty() && separator == '-') {  // 2024-04
    return whole_days(year, month, 1);
  }
  if (!parts.take(separator)) {
    return std::nullopt;
  }
  const auto day = parts.digits(1, 2);
  return whole_days(year, month, day);
}

/// 01.04.2024, 04/01/2024 or 1-Apr-2024, of which `first` is the first number.
std::optional<double> year_last(Parts& parts, int first, DateOrder order) {
  const char separator = parts.front();
  if (separator == ' ' || separator == '-') {
    parts.take(separator);
    if (const auto month = parts.month_name()) {
      parts.blanks();
      parts.take(separator);
      return whole_days(parts.digits(4, 4), static_cast<int>(*month), first);
    }
  } else if (separator == '.' || separator == '/') {
    parts.take(separator);
  } else {
    return std::nullopt;
  }
  const auto second = parts.digits(1, 2);
  if (!parts.take(separator)) {
    return std::nullopt;
  }
  const auto year = parts.digits(4, 4);
  const bool day_first = separator == '.' || order == DateOrder::day_first;
  return day_first ? whole_days(year, second, first) : whole_days(year, first, second);
}

/// The date at the beginning of `parts`, in seconds.
std::optional<double> take_date(Parts& parts, DateOrder order) {
  if (const auto month = parts.month_name()) {  // Apr 1, 2024; Apr-2024
    parts.blanks();
    parts.take('-');
    Parts ahead = parts;
    if (const auto year = ahead.digits(4, 4); year && ahead.empty()) {
      parts = ahead;
      return whole_days(year, static_cast<int>(*month), 1);
    }
    const auto day = parts.digits(1, 2);
    parts.take(',');
    parts.blanks();
    return whole_days(parts.digits(4, 4), static_cast<int>(*month), day);
  }
  Parts ahead = parts;
  if (const auto year = ahead.digits(4, 4);
      year && (ahead.front() == '-' || ahead.front() == '/')) {
    parts = ahead;
    return year_first(parts, *year);
  }
  const auto first = parts.digits(1, 2);
  return first ? year_last(parts, *first, order) : std::nullopt;
}

/// +02:00, +0200, +02 or Z, in seconds east of UTC; nothing for anything else.
std::optional<double> take_zone(Parts& parts) {
  if (parts.empty() || parts.take('Z') || parts.take('z')) {
    return 0.0;
  }
  const double sign = parts.front() == '-' ? -1 : 1;
  if (!parts.take('+') && !parts.take('-')) {
    return std::nullopt;
  }
  const auto digits = parts.digits(2, 4);
  if (!digits) {
    return std::nullopt;
  }
  if (*digits >= 100) {
    return sign * 60 * (*digits / 100 * 60 + *digits % 100);
  }
  parts.take(':');
  const auto minutes = parts.empty() ? 0 : parts.digits(2, 2);
  return minutes ? std::optional(sign * 60 * (*digits * 60 + *minutes)) : std::nullopt;
}

/// 13:30, 13:30:00.5 or 1:30 PM, with a zone or without, in seconds of the day in UTC.
std::optional<double> take_time(Parts& parts) {
  auto hour = parts.digits(1, 2);
  if (!hour || *hour > 24 || !parts.take(':')) {
    return std::nullopt;
  }
  const auto minute = parts.digits(2, 2);
  if (!minute || *minute > 59) {
    return std::nullopt;
  }
  double seconds = 0;
  if (parts.take(':')) {
    const auto whole = parts.digits(2, 2);
    if (!whole || *whole > 60) {
      return std::nullopt;
    }
    seconds = *whole;
    if (parts.take('.') || parts.take(',')) {
      seconds += parts.fraction();
    }
  }
  parts.blanks();
  const bool afternoon = parts.take('P') || parts.take('p');
  const bool morning = !afternoon && (parts.take('A') || parts.take('a'));
  if (afternoon || morning) {
    if ((!parts.take('M') && !parts.take('m')) || *hour < 1 || *hour > 12) {
      return std::nullopt;
    }
    hour = *hour % 12 + (afternoon ? 12 : 0);
    parts.blanks();
  }
  const auto zone = take_zone(parts);
  return zone ? std::optional(3600.0 * *hour + 60 * *minute + seconds - *zone) : std::nullopt;
}

}  // namespace

std::optional<double> parse_date(std::string_view text, DateOrder order) {
  constexpr std::size_t longest = 48;
  if (text.size() < 6 || text.size() > longest) {
    return std::nullopt;
  }
  Parts parts(trim(text));
  std::optional<double> date = take_date(parts, order);
  if (!date) {
    return std::nullopt;
  }
  const bool time_follows = parts.take('T') || parts.take(' ');
  parts.blanks();
  if (time_follows && !parts.empty()) {
    const auto time = take_time(parts);
    date = time ? std::optional(*date + *time) : std::nullopt;
  }
  return parts.empty() ? date : std::nullopt;
}

}  // namespace dnn
