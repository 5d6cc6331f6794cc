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

/// Where a rank's time went, in seconds.
struct PhaseSeconds {
  double load = 0;      ///< waiting for a batch that was not ready
  double compute = 0;   ///< forward, loss, backward
  double exchange = 0;  ///< combining gradients and publishing values, waiting for others included
  double update = 0;    ///< the optimizer
  double evaluation = 0;  ///< validation and test
};

}  // namespace dnn
