#include "dnn/report/progress_settings.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "dnn/core/error.hpp"

namespace dnn {

namespace {

/// A whole number of at least 1 that is all of `text`.
std::optional<std::uint64_t> whole_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_whole = error == std::errc() && end == text.data() + text.size() && number > 0;
  return is_whole ? std::optional(number) : std::nullopt;
}

}  // namespace

std::optional<std::uint64_t> parse_step_log(const std::string& text) {
  if (text == "auto") {
    return std::nullopt;
  }
  if (text == "off") {
    return 0;
  }
  if (const auto number = whole_number(text)) {
    return number;
  }
  throw InputError("must be auto, off, or the number of updates between two lines, at least 1");
}

/// Note [How often the step log has a line]
/// A line costs some tens of microseconds, and a pass over the gradients that a rank owns, which
/// without AVX-512 takes about 1.5 ns an element. "auto" leaves at least 2 GFLOP of products (tens
/// of milliseconds of a core) and 4,096 samples between two lines, so that both stay below 1 %, and
/// writes at most 20,000 lines of about 300 bytes: a night is megabytes. A short run has 20 lines
/// nevertheless. All this follows from the network, the batch
/// and the number of updates, so a run has lines at the same updates on any machine and at any
/// number of ranks.
std::uint64_t step_log_interval(const std::string& step_log, const RunSize& size) {
  if (const auto given = parse_step_log(step_log)) {
    return *given;
  }
  constexpr std::uint64_t most_lines = 20'000;
  constexpr std::uint64_t least_lines = 20;
  constexpr double least_work = 2e9;  // operations between two lines
  constexpr double least_samples = 4096;
  const double batch = static_cast<double>(size.batch_size);
  const double work = 6 * static_cast<double>(size.parameters) * batch;  // of an update
  constexpr double longest = 1e6;
  const double by_cost = std::ceil(std::max(least_work / work, least_samples / batch));
  const std::uint64_t longest_of_a_short_run =
      std::max<std::uint64_t>(1, size.updates / least_lines);
  return std::max(std::min(static_cast<std::uint64_t>(std::clamp(by_cost, 1.0, longest)),
                           longest_of_a_short_run),
                  (size.updates + most_lines - 1) / most_lines);
}

UpdateRange UpdateRange::parse(const std::string& text) {
  constexpr std::uint64_t most = 10'000;
  const std::size_t dash = text.find('-');
  const std::string_view whole = text;
  const auto first = whole_number(whole.substr(0, dash));
  const auto last = dash == std::string::npos ? first : whole_number(whole.substr(dash + 1));
  if (!first || !last || *last < *first) {
    throw InputError("must be updates like 100-120, counted from 1");
  }
  if (*last - *first >= most) {
    throw InputError("names more than 10,000 updates; name fewer");
  }
  return {*first, *last};
}

}  // namespace dnn
