#include "dnn/optim/learning_rate.hpp"

#include <cmath>
#include <numbers>
#include <stdexcept>

namespace dnn {

LearningRateSchedule::LearningRateSchedule(const ScheduleSettings& settings) : settings_(settings) {
  if (!std::isfinite(settings.learning_rate) || settings.learning_rate < 0) {
    throw std::invalid_argument("the learning rate must be finite and not negative");
  }
  if (settings.kind == ScheduleKind::step && settings.drop_steps == 0) {
    throw std::invalid_argument("a step schedule needs a number of steps between drops");
  }
  if (settings.warmup_steps > 0 && settings.warmup_steps >= settings.total_steps) {
    throw std::invalid_argument("the warm-up must end before the run does");
  }
}

double LearningRateSchedule::at(std::uint64_t step) const {
  const double rate = settings_.learning_rate;
  if (step < settings_.warmup_steps) {
    return rate * static_cast<double>(step + 1) / static_cast<double>(settings_.warmup_steps);
  }
  switch (settings_.kind) {
    case ScheduleKind::step: {
      const std::uint64_t drops = step / settings_.drop_steps;
      return rate * std::pow(settings_.drop_factor, static_cast<double>(drops));
    }
    case ScheduleKind::cosine: {
      const auto done = static_cast<double>(step - settings_.warmup_steps);
      const auto all = static_cast<double>(settings_.total_steps - settings_.warmup_steps);
      return rate * 0.5 * (1 + std::cos(std::numbers::pi * done / all));
    }
    default:
      return rate;
  }
}

}  // namespace dnn
