#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace dnn {

/// A phase of one update on one rank. Times in nanoseconds on rank 0's clock.
struct TracedPhase {
  std::string name;
  std::uint64_t update = 0;
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

/// What one rank did.
struct TracedRank {
  std::string host;
  std::int64_t clock_error = 0;  ///< nanoseconds that its times may be off by
  std::vector<TracedPhase> phases;
};

/// The ranks, in their order, as JSON in the Trace Event Format, which chrome://tracing and
/// ui.perfetto.dev open: a process a rank, times in microseconds since the first phase began.
[[nodiscard]] std::string trace_events(const std::vector<TracedRank>& ranks);

}  // namespace dnn
