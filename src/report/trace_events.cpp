#include "dnn/report/trace_events.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "dnn/core/program_name.hpp"

namespace dnn {

namespace {

std::string json_text(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

/// Nanoseconds as microseconds, without rounding: phases that are nested stay so.
std::string microseconds(std::int64_t nanoseconds) {
  return fmt::format("{}.{:03}", nanoseconds / 1000, nanoseconds % 1000);
}

}  // namespace

std::string trace_events(const std::vector<TracedRank>& ranks) {
  std::int64_t start = std::numeric_limits<std::int64_t>::max();
  for (const TracedRank& rank : ranks) {
    for (const TracedPhase& phase : rank.phases) {
      start = std::min(start, phase.begin);
    }
  }
  std::string text =
      "{\"displayTimeUnit\":\"ms\",\"otherData\":{\"program\":" + json_text(program_name) +
      "},\"traceEvents\":[";
  for (std::size_t rank = 0; rank < ranks.size(); ++rank) {
    text += fmt::format(
        "{}\n{{\"ph\":\"M\",\"pid\":{},\"name\":\"process_name\",\"args\":{{\"name\":{}}}}},\n"
        "{{\"ph\":\"M\",\"pid\":{},\"name\":\"process_sort_index\",\"args\":{{\"sort_index\":{}}}}"
        "}",
        rank == 0 ? "" : ",", rank,
        json_text(fmt::format("rank {} on {} (clock to {} us)", rank, ranks[rank].host,
                              microseconds(ranks[rank].clock_error))),
        rank, rank);
    std::vector<TracedPhase> phases = ranks[rank].phases;
    std::stable_sort(phases.begin(), phases.end(), [](const TracedPhase& a, const TracedPhase& b) {
      return a.begin != b.begin ? a.begin < b.begin : a.end > b.end;  // the outer one first
    });
    for (const TracedPhase& phase : phases) {
      text += fmt::format(
          ",\n{{\"ph\":\"X\",\"pid\":{},\"tid\":0,\"name\":{},\"ts\":{},\"dur\":{},"
          "\"args\":{{\"update\":{}}}}}",
          rank, json_text(phase.name), microseconds(phase.begin - start),
          microseconds(phase.end - phase.begin), phase.update);
    }
  }
  return text + "\n]}\n";
}

}  // namespace dnn
