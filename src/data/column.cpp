#include "dnn/data/column.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "dnn/core/error.hpp"
#include "dnn/data/number.hpp"

namespace dnn {

namespace {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

constexpr std::array usual_names = {"label", "class", "target", "y"};

std::size_t default_column(std::size_t columns, const std::vector<std::string>& names) {
  for (const char* usual : usual_names) {
    const auto is_usual = [usual](const std::string& name) { return lower(name) == usual; };
    const auto found = std::find_if(names.begin(), names.end(), is_usual);
    if (found != names.end()) {
      return static_cast<std::size_t>(found - names.begin());
    }
  }
  return columns - 1;
}

}  // namespace

bool is_usual_label_name(const std::string& name) {
  return std::find(usual_names.begin(), usual_names.end(), lower(name)) != usual_names.end();
}

std::size_t find_label_column(const std::string& wanted, std::size_t columns,
                              const std::vector<std::string>& names, const std::string& origin) {
  if (wanted.empty()) {
    return default_column(columns, names);
  }
  const auto named = std::find(names.begin(), names.end(), wanted);
  if (named != names.end()) {
    return static_cast<std::size_t>(named - names.begin());
  }
  if (wanted == "first") {
    return 0;
  }
  if (wanted == "last") {
    return columns - 1;
  }
  if (const auto number = parse_integer(wanted)) {
    const auto count = static_cast<std::int64_t>(columns);
    if (*number >= 1 && *number <= count) {
      return static_cast<std::size_t>(*number - 1);
    }
    if (*number <= -1 && *number >= -count) {
      return static_cast<std::size_t>(count + *number);
    }
    throw InputError(fmt::format(
        "{}: --label-column {}: there are {} columns, counted from 1 (or from -1, the last)",
        origin, wanted, columns));
  }
  std::string known;
  for (const std::string& name : names) {
    known += (known.empty() ? "" : ", ") + name;
    if (known.size() > 200) {
      known.replace(200, std::string::npos, "...");
      break;
    }
  }
  throw InputError(fmt::format("{}: --label-column {}: {}", origin, wanted,
                               names.empty()
                                   ? "the file has no header line to find that name in"
                                   : "no column has that name; the header names " + known));
}

}  // namespace dnn
