#include "dnn/report/model_comparison.hpp"

#include <cmath>
#include <cstdio>

#include "dnn/model/model_file.hpp"
#include "dnn/report/reporter.hpp"
#include "dnn/report/saved_parameters.hpp"

namespace dnn {

namespace {

/// "layer 2, W(17, 3)" or "layer 2, B(3)", all counted from 1, of parameter `i`.
std::string place_of(std::size_t i, const std::vector<std::uint64_t>& widths) {
  for (std::size_t n = 1; n < widths.size(); ++n) {
    const std::size_t weights = widths[n - 1] * widths[n];
    const std::string layer = "layer " + std::to_string(n) + ", ";
    if (i < weights) {
      return layer + "W(" + std::to_string(i / widths[n] + 1) + ", " +
             std::to_string(i % widths[n] + 1) + ")";
    }
    i -= weights;
    if (i < widths[n]) {
      return layer + "B(" + std::to_string(i + 1) + ")";
    }
    i -= widths[n];
  }
  return {};
}

/// How two parameters differ that lie at the same places.
std::string describe_differences(const SavedParameters& a, const SavedParameters& b) {
  std::size_t others = 0;
  std::size_t where = 0;
  double largest = -1;
  for (std::size_t i = 0; i < a.count(); ++i) {
    const double x = a.at(i);
    const double y = b.at(i);
    if (x == y || (std::isnan(x) && std::isnan(y))) {
      continue;
    }
    ++others;
    const double difference = std::abs(x - y);
    if (!(difference <= largest) && !std::isnan(largest)) {
      largest = difference;
      where = i;
    }
  }
  if (others == 0) {
    return "have the same values, in other bits (precision, the sign of a 0, or a NaN)";
  }
  char text[200];
  std::snprintf(text, sizeof(text), "the largest difference is %.6g (%.17g against %.17g) in ",
                largest, a.at(where), b.at(where));
  return "differ in " + with_commas(others) + " of " + with_commas(a.count()) + "; " + text +
         place_of(where, a.widths);
}

std::string compare_environments(const Environment& a, const Environment& b) {
  if (a.facts().empty() || b.facts().empty()) {
    return "environment: not recorded in both\n";
  }
  const auto lines = a.differences(b);
  std::string text = lines.empty() ? "environment: the same\n" : "environment: differs\n";
  for (const std::string& line : lines) {
    text += "  " + line + '\n';
  }
  return text;
}

}  // namespace

ModelComparison ModelComparison::make(const std::string& first, const std::string& second) {
  const SavedParameters a = SavedParameters::load(first);
  const SavedParameters b = SavedParameters::load(second);
  ModelComparison result;
  result.same_bits = a.widths == b.widths && a.precision == b.precision && a.packed == b.packed;
  if (result.same_bits) {
    result.text = "parameters:  the same bits (SHA-256 " + parameters_sha256(a.packed) + ")\n";
  } else if (a.widths != b.widths) {
    result.text = "networks:    differ: " + a.network() + " against " + b.network() + '\n';
  } else {
    result.text = "parameters:  " + describe_differences(a, b) + '\n';
  }
  result.text += compare_environments(a.environment, b.environment);
  return result;
}

}  // namespace dnn
