#pragma once

#include <chrono>

#include "dnn/comm/communicator.hpp"

namespace dnn {

/// Note [Clocks of several hosts]
/// The steady clocks of two hosts differ by when each was started. Rank 0 answers a message of
/// another rank with the time on its own clock. It read that clock at some moment between sending
/// and receiving, so the middle of the two is off by at most half of the round trip. Of several
/// round trips the shortest says most. On one host all processes have the same clock.
struct ClockOffset {
  std::chrono::nanoseconds offset{0};  ///< what this rank's steady clock is ahead of rank 0's
  std::chrono::nanoseconds error{0};   ///< the offset is right to this
};

/// Collective: the difference of this rank's steady clock from rank 0's.
[[nodiscard]] ClockOffset measure_clock_offset(const Communicator& ranks);

}  // namespace dnn
