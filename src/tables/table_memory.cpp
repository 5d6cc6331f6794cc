#include "dnn/tables/table_memory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "dnn/core/available_memory.hpp"
#include "dnn/core/error.hpp"

namespace dnn {

namespace {

/// The bytes that one of `readers` needs.
double needed_memory(std::span<const TableLayout> parts, std::size_t readers) {
  const double cell = (sizeof(double) + sizeof(float)) / static_cast<double>(readers);
  return static_cast<double>(estimate_rows(parts)) * static_cast<double>(parts.front().columns()) *
         cell;
}

}  // namespace

std::size_t estimate_rows(std::span<const TableLayout> parts) {
  constexpr std::size_t sample = std::size_t{256} << 10;
  double rows = 0;
  for (const TableLayout& part : parts) {
    const std::string_view first = part.rows.substr(0, sample);
    std::ptrdiff_t newlines = 0;
    std::ptrdiff_t returns = 0;
    bool quoted = false;
    for (const char c : first) {
      quoted = quoted != (c == '"');
      newlines += c == '\n' && !quoted ? 1 : 0;
      returns += c == '\r' && !quoted ? 1 : 0;
    }
    const std::ptrdiff_t ends = std::max(newlines, returns);
    const double share =
        first.empty() ? 0
                      : static_cast<double>(part.rows.size()) / static_cast<double>(first.size());
    rows += share * static_cast<double>(std::max<std::ptrdiff_t>(ends, 1));
  }
  return static_cast<std::size_t>(rows);
}

bool fits_memory(std::span<const TableLayout> parts, std::size_t available, std::size_t readers) {
  return 0.8 * needed_memory(parts, readers) <= static_cast<double>(available);
}

void require_memory_for_table(std::span<const TableLayout> parts, const std::string& origin,
                              std::size_t available, std::size_t readers) {
  if (fits_memory(parts, available, readers)) {
    return;
  }
  std::size_t text = 0;
  for (const TableLayout& part : parts) {
    text += part.rows.size();
  }
  throw InputError(fmt::format(
      "{}: {} of text are about {} rows of {} columns, which need about {} of memory while they "
      "are read, and this job may use {} more; use --placement disk --scratch DIR, or more nodes, "
      "or "
      "convert the numbers to NPY files, which are mapped",
      origin, size_text(text), estimate_rows(parts), parts.front().columns(),
      size_text(static_cast<std::size_t>(needed_memory(parts, readers))), size_text(available)));
}

std::string note_of_spare_memory(const std::string& origin) {
  return origin +
         ": memory is short for reading this text; it is read into files in the folder of "
         "--scratch";
}

}  // namespace dnn
