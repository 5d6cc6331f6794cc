#include "dnn/train/phase_trace.hpp"

#include <fmt/format.h>

#include <sstream>
#include <string>

#include "dnn/comm/clock_offset.hpp"
#include "dnn/report/trace_events.hpp"

namespace dnn {

namespace {

std::int64_t in_nanoseconds(PhaseTrace::Clock::time_point time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

}  // namespace

/// A line for the rank, then one a phase.
std::string PhaseTrace::packed(const Communicator& world) const {
  const ClockOffset clock = measure_clock_offset(world);
  std::string text = fmt::format("{} {}\n", clock.error.count(), host_name());
  for (const Span& span : spans_) {
    text +=
        fmt::format("{} {} {} {}\n", span.update, in_nanoseconds(span.begin) - clock.offset.count(),
                    in_nanoseconds(span.end) - clock.offset.count(), span.phase);
  }
  return text;
}

std::string PhaseTrace::gather(const Communicator& world) const {
  std::vector<TracedRank> ranks;
  for (const std::string& text : world.gather(packed(world), 0)) {
    std::istringstream stream(text);
    TracedRank rank;
    stream >> rank.clock_error >> rank.host;
    TracedPhase phase;
    while (stream >> phase.update >> phase.begin >> phase.end >> std::ws &&
           std::getline(stream, phase.name)) {
      rank.phases.push_back(phase);
    }
    ranks.push_back(std::move(rank));
  }
  return ranks.empty() ? std::string() : trace_events(ranks);
}

}  // namespace dnn
