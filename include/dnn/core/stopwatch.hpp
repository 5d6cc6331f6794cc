#pragma once

#include <chrono>
#include <utility>

namespace dnn {

/// Seconds since it was made or last asked for a lap.
class Stopwatch {
 public:
  /// The seconds since the last lap, and starts the next one.
  double lap() {
    const auto now = Clock::now();
    return std::chrono::duration<double>(now - std::exchange(start_, now)).count();
  }
  [[nodiscard]] double seconds() const {
    return std::chrono::duration<double>(Clock::now() - start_).count();
  }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start_ = Clock::now();
};

}  // namespace dnn
