#include "dnn/model/evaluation.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "dnn/core/printable.hpp"

namespace dnn {

std::string loss_text(double loss) {
  return std::abs(loss) < 1e6 ? fmt::format("{:.4f}", loss) : fmt::format("{:.4g}", loss);
}

std::string Evaluation::in_words() const {
  constexpr std::size_t most = 2;
  std::string text = "loss " + loss_text(loss);
  if (accuracy >= 0) {
    return text + fmt::format(" accuracy {:.2f} %", 100 * accuracy);
  }
  for (std::size_t i = 0; i < figures.size() && i < most; ++i) {
    text += fmt::format(" {} {:.4g}", printable_name(figures[i].name), figures[i].value);
  }
  return text;
}

nlohmann::ordered_json Evaluation::to_json() const {
  nlohmann::ordered_json json = {{"loss", loss}};
  if (accuracy >= 0) {
    json["accuracy"] = accuracy;
  }
  if (top5_accuracy >= 0) {
    json["top5_accuracy"] = top5_accuracy;
  }
  for (const Figure& figure : figures) {
    json[figure.name] = figure.value;
  }
  json["samples"] = samples;
  return json;
}

Evaluation Evaluation::from_json(const nlohmann::ordered_json& json) {
  Evaluation evaluation;
  evaluation.accuracy = -1;
  for (const auto& [name, entry] : json.items()) {
    if (name == "samples") {
      evaluation.samples = entry.get<std::uint64_t>();
      continue;
    }
    const double value =
        entry.is_null() ? std::numeric_limits<double>::quiet_NaN() : entry.get<double>();
    if (name == "loss") {
      evaluation.loss = value;
    } else if (name == "accuracy") {
      evaluation.accuracy = value;
    } else if (name == "top5_accuracy") {
      evaluation.top5_accuracy = value;
    } else {
      evaluation.figures.push_back({name, value});
    }
  }
  return evaluation;
}

}  // namespace dnn
