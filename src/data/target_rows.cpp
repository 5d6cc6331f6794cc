#include "dnn/data/target_rows.hpp"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "dnn/core/error.hpp"

namespace dnn {

namespace {

/// Why `value` is no target of the task; empty where it is one.
std::string trouble(Task task, double value) {
  if (!std::isfinite(value)) {
    return "not a finite number";
  }
  if (task == Task::labels && value != 0 && value != 1) {
    return "neither 0 nor 1, as --task labels has them";
  }
  if (task == Task::distribution && value < 0) {
    return "negative, but a probability for --task distribution";
  }
  return {};
}

}  // namespace

void set_targets(Dataset& data, std::vector<double> rows) {
  constexpr double rounding = 1e-3;
  const std::size_t outputs = data.classes();
  if (data.task == Task::numbers && outputs > most_numbers) {
    throw InputError(fmt::format("{}: {} target columns; --task numbers takes at most {}",
                                 data.origin, outputs, most_numbers));
  }
  for (std::size_t i = 0; i < data.samples; ++i) {
    double sum = 0;
    for (std::size_t j = 0; j < outputs; ++j) {
      const double value = rows[i * outputs + j];
      sum += value;
      if (const std::string what = trouble(data.task, value); !what.empty()) {
        throw InputError(fmt::format("{}: sample {}: the target {} is {:g}, {}", data.origin,
                                     data.first_sample + i + 1, in_quotes(data.class_names[j]),
                                     value, what));
      }
    }
    if (data.task != Task::distribution) {
      continue;
    }
    if (!(std::abs(sum - 1) <= rounding)) {
      throw InputError(
          fmt::format("{}: sample {}: its targets add up to {:g}, but to 1 for --task distribution",
                      data.origin, data.first_sample + i + 1, sum));
    }
    for (std::size_t j = 0; j < outputs; ++j) {
      rows[i * outputs + j] /= sum;
    }
  }
  data.target_rows = Bytes::from(std::move(rows));
}

std::vector<std::string> unnamed_targets(std::size_t count) {
  std::vector<std::string> names;
  for (std::size_t j = 0; j < count; ++j) {
    names.push_back("target " + std::to_string(j + 1));
  }
  return names;
}

}  // namespace dnn
