#include "dnn/report/step_curves.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <nlohmann/json.hpp>
#include <vector>

#include "dnn/core/error.hpp"
#include "dnn/core/page_number.hpp"
#include "dnn/report/line_sample.hpp"

namespace dnn {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t most_lines = 2000;

/// A value as pages show it; null for what is no number.
Json number_in(const Json& line, const char* key) {
  const auto found = line.find(key);
  if (found == line.end() || !found->is_number()) {
    return {};
  }
  return found->is_number_float() ? Json(page_number(found->get<double>())) : *found;
}

/// Those of the last attempt at each update.
std::vector<Json> without_repeated(std::vector<Json> lines) {
  std::vector<Json> kept;
  for (Json& line : lines) {
    const double update = line.value("update", 0.0);
    while (!kept.empty() && kept.back().value("update", 0.0) >= update) {
      kept.pop_back();
    }
    kept.push_back(std::move(line));
  }
  return kept;
}

}  // namespace

Json step_curves(const std::string& path) {
  const LineSample sample = LineSample::of(path, most_lines);
  if (sample.count == 0) {
    return {};
  }
  std::vector<Json> lines;
  for (const auto& [number, text] : sample.lines) {
    Json line = Json::parse(text, nullptr, false);
    if (!line.is_object() || !line.value("update", Json()).is_number()) {
      throw InputError(fmt::format("{}: line {} is damaged, it is no update", path, number));
    }
    lines.push_back(std::move(line));
  }
  Json result = {{"count", sample.count}};
  Json seconds = Json::object();
  std::size_t count = 0;
  for (const Json& line : without_repeated(std::move(lines))) {
    for (const char* key : {"update", "epoch", "loss", "gradient_norm", "learning_rate",
                            "samples_per_second", "skipped"}) {
      result[key].push_back(number_in(line, key));
    }
    const Json phases = line.value("seconds", Json::object());
    for (const auto& [phase, value] : phases.items()) {
      Json& column = seconds[phase];
      while (column.size() < count) {
        column.push_back(Json());
      }
      column.push_back(number_in(phases, phase.c_str()));
    }
    ++count;
  }
  for (Json& column : seconds) {
    while (column.size() < count) {
      column.push_back(Json());
    }
  }
  result["seconds"] = std::move(seconds);
  return result;
}

}  // namespace dnn
