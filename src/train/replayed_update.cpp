#include "dnn/train/replayed_update.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "dnn/train/nonfinite_policy.hpp"

namespace dnn {

namespace {

using Json = nlohmann::ordered_json;

/// The sign of a NaN means nothing.
std::string in_short(double value) {
  char text[40];
  std::snprintf(text, sizeof(text), "%.7g", std::isnan(value) ? std::abs(value) : value);
  return text;
}

std::string in_full(double value) {
  char text[40];
  std::snprintf(text, sizeof(text), "%.17g", value);
  return text;
}

Json number(double value) {
  return std::isfinite(value) ? Json(value)
         : std::isnan(value)  ? Json("nan")
                              : Json(value > 0 ? "inf" : "-inf");
}

}  // namespace

Json ReplayedUpdate::to_json() const {
  Json layers = Json::array();
  for (std::size_t n = 0; n < parameters.size(); ++n) {
    layers.push_back({{"layer", n + 1},
                      {"norm_dW", number(gradients[n].W)},
                      {"norm_dB", number(gradients[n].B)},
                      {"norm_W", number(parameters[n].W)},
                      {"norm_B", number(parameters[n].B)}});
  }
  Json found = Json::array();
  for (const std::string& line : findings) {
    found.push_back(Json::parse(line));
  }
  return {{"update", update},     {"epoch", epoch},
          {"step", step},         {"samples", samples},
          {"lr", learning_rate},  {"finite", finite},
          {"loss", number(loss)}, {"accuracy", number(accuracy)},
          {"layers", layers},     {"sha256", sha256},
          {"findings", found}};
}

std::vector<std::string> ReplayedUpdate::to_lines() const {
  std::vector<std::string> lines;
  const std::string place = "update " + std::to_string(update) + " (epoch " +
                            std::to_string(epoch) + ", step " + std::to_string(step) + ")";
  if (finite) {
    const std::string right =
        std::isnan(accuracy) ? std::string() : ", accuracy " + in_short(accuracy);
    lines.push_back(fmt::format("{}: loss {}{} over {} samples, learning rate {}", place,
                                in_full(loss), right, samples, in_short(learning_rate)));
  } else {
    lines.push_back(fmt::format("{} is not finite, and changes nothing:{}", place,
                                describe_findings(findings)));
  }
  char row[160];
  std::snprintf(row, sizeof(row), "%5s %14s %14s %14s %14s", "layer", "|dW|", "|dB|", "|W|", "|B|");
  lines.emplace_back(row);
  for (std::size_t n = 0; n < parameters.size(); ++n) {
    std::snprintf(row, sizeof(row), "%5zu %14s %14s %14s %14s", n + 1,
                  in_short(gradients[n].W).c_str(), in_short(gradients[n].B).c_str(),
                  in_short(parameters[n].W).c_str(), in_short(parameters[n].B).c_str());
    lines.emplace_back(row);
  }
  lines.push_back("SHA-256 of the parameters after it: " + sha256);
  return lines;
}

}  // namespace dnn
