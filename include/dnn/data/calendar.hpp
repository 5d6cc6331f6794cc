#pragma once

// Times as seconds since 1970-01-01 00:00 UTC, and their places in the day, the week and the year.

#include <cmath>
#include <cstdint>

namespace dnn {

inline constexpr double seconds_a_day = 86400;

/// Days from 1970-01-01 to a date of the Gregorian calendar.
[[nodiscard]] std::int64_t days_since_1970(int year, unsigned month, unsigned day);

/// Whether there is such a date.
[[nodiscard]] bool is_date(int year, unsigned month, unsigned day);

/// The part of its day that has passed, in [0, 1).
[[nodiscard]] inline double part_of_day(double seconds) {
  const double days = seconds / seconds_a_day;
  return days - std::floor(days);
}
/// 0 for Monday to 6 for Sunday.
[[nodiscard]] int weekday_of(double seconds);
/// 0 for January to 11 for December.
[[nodiscard]] int month_of(double seconds);

/// "2024-04-01", with the time of day where it has one: "2024-04-01 13:30:00".
struct DateText {
  char text[40];
};
[[nodiscard]] DateText date_text(double seconds);

}  // namespace dnn
