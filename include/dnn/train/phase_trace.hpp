#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "dnn/comm/communicator.hpp"

namespace dnn {

/// When a rank was in which phase of an update. On every rank.
class PhaseTrace {
 public:
  using Clock = std::chrono::steady_clock;

  /// What is added from now on belongs to `update`.
  void begin_update(std::uint64_t update) { update_ = update; }
  /// `phase` must outlive the trace.
  void add(const char* phase, Clock::time_point begin, Clock::time_point end) {
    spans_.push_back({phase, update_, begin, end});
  }
  [[nodiscard]] bool empty() const { return spans_.empty(); }

  /// Collective over `world`: on rank 0, the phases of all ranks on rank 0's clock as Chrome's and
  /// Perfetto's trace events (JSON), a process a rank; elsewhere nothing.
  [[nodiscard]] std::string gather(const Communicator& world) const;

 private:
  struct Span {
    const char* phase;
    std::uint64_t update;
    Clock::time_point begin;
    Clock::time_point end;
  };
  [[nodiscard]] std::string packed(const Communicator& world) const;

  std::uint64_t update_ = 0;
  std::vector<Span> spans_;
};

/// The time of phases that follow one another, for sums of seconds and, where there is one, for a
/// trace.
class PhaseTimer {
 public:
  /// `trace`: null for none; must outlive the timer.
  explicit PhaseTimer(PhaseTrace* trace) : trace_(trace) {}

  /// The seconds since the last lap, which were those of `phase`.
  double lap(const char* phase) {
    const auto begin = start_;
    start_ = PhaseTrace::Clock::now();
    if (trace_ != nullptr) {
      trace_->add(phase, begin, start_);
    }
    return std::chrono::duration<double>(start_ - begin).count();
  }

 private:
  PhaseTrace* trace_;
  PhaseTrace::Clock::time_point start_ = PhaseTrace::Clock::now();
};

}  // namespace dnn
