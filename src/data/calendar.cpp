#include "dnn/data/calendar.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace dnn {

namespace {

namespace chrono = std::chrono;

chrono::sys_days day_of(double seconds) {
  // Years that the calendar of std::chrono holds.
  constexpr double most_days = 10e6;
  const double days = std::clamp(std::floor(seconds / seconds_a_day), -most_days, most_days);
  return chrono::sys_days(chrono::days(static_cast<int>(days)));
}

}  // namespace

std::int64_t days_since_1970(int year, unsigned month, unsigned day) {
  const chrono::year_month_day date{chrono::year(year), chrono::month(month), chrono::day(day)};
  return chrono::sys_days(date).time_since_epoch().count();
}

bool is_date(int year, unsigned month, unsigned day) {
  return chrono::year_month_day{chrono::year(year), chrono::month(month), chrono::day(day)}.ok();
}

int weekday_of(double seconds) {
  return static_cast<int>(chrono::weekday(day_of(seconds)).iso_encoding()) - 1;
}

int month_of(double seconds) {
  return static_cast<int>(static_cast<unsigned>(chrono::year_month_day(day_of(seconds)).month())) -
         1;
}

DateText date_text(double seconds) {
  const chrono::year_month_day date(day_of(seconds));
  const auto second =
      static_cast<int>(std::floor(part_of_day(seconds) * seconds_a_day + 0.5)) % 86400;
  DateText result{};
  const std::string day =
      fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  const std::string text = second == 0 ? day
                                       : fmt::format("{} {:02}:{:02}:{:02}", day, second / 3600,
                                                     second / 60 % 60, second % 60);
  text.copy(result.text, sizeof(result.text) - 1);
  return result;
}

}  // namespace dnn
