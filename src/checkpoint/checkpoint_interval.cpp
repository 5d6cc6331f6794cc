#include "dnn/checkpoint/checkpoint_interval.hpp"

#include <fmt/format.h>

#include <charconv>
#include <optional>

#include "dnn/core/error.hpp"

namespace dnn {

namespace {

/// The whole number that `text` begins with; takes it off `text`.
std::optional<std::uint64_t> take_number(std::string& text) {
  std::uint64_t number = 0;
  const char* const begin = text.data();
  const auto [end, error] = std::from_chars(begin, begin + text.size(), number);
  if (error != std::errc() || number > 1'000'000'000'000) {
    return std::nullopt;
  }
  text.erase(0, static_cast<std::size_t>(end - begin));
  return number;
}

}  // namespace

CheckpointInterval CheckpointInterval::parse(const std::string& text) {
  if (text == "off") {
    return {};
  }
  std::string rest = text;
  const auto number = take_number(rest);
  if (number) {
    const bool is_known = rest.empty() || rest == "step" || rest == "steps" || rest == "epoch" ||
                          rest == "epochs" || rest == "s";
    if (is_known && *number == 0) {
      return {};
    }
    if (is_known) {
      return {rest == "s"             ? Unit::seconds
              : rest.starts_with("e") ? Unit::epochs
                                      : Unit::steps,
              *number};
    }
  }
  throw InputError(
      fmt::format("--checkpoint-every {}: must be a number of updates (200 or 200steps), of epochs "
                  "(2epochs), of seconds (300s), or off",
                  text));
}

double parse_time_limit(const std::string& text) {
  std::string rest = text;
  double seconds = 0;
  for (int part = 0; part < 3; ++part) {
    const auto number = take_number(rest);
    if (!number || (part > 0 && *number >= 60)) {
      break;
    }
    seconds = seconds * 60 + static_cast<double>(*number);
    if (rest.empty() && seconds > 0) {
      return seconds;
    }
    if (!rest.starts_with(':')) {
      break;
    }
    rest.erase(0, 1);
  }
  throw InputError(
      fmt::format("--time-limit {}: must be whole seconds (3600) or HH:MM:SS, above 0", text));
}

}  // namespace dnn
