#pragma once

#include <optional>
#include <string_view>

namespace dnn {

/// Which part of 03/04/2024 is the month.
enum class DateOrder { month_first, day_first };

/// The time that a cell spells, in seconds since 1970-01-01 UTC, or nothing: 2024-04-01,
/// 2024-04-01T13:30:00.5+02:00, 2024/04/01, 01.04.2024, 4/1/2024, 1 Apr 2024, Apr 1, 2024, each
/// with a time of day or without one. A time without a zone is taken for UTC.
[[nodiscard]] std::optional<double> parse_date(std::string_view text, DateOrder order);

}  // namespace dnn
