#pragma once

#include <cstdint>
#include <string>

namespace dnn {

/// How often a run writes a checkpoint by itself.
struct CheckpointInterval {
  enum class Unit { never, steps, epochs, seconds };
  Unit unit = Unit::never;
  std::uint64_t count = 0;

  /// Reads "200" or "200steps" (updates), "2epochs", "500s" (seconds), "0" or "off". Throws
  /// InputError that names the option.
  [[nodiscard]] static CheckpointInterval parse(const std::string& text);
};

/// Seconds of "3600" or "HH:MM:SS" (or "MM:SS"). Throws InputError that names the option.
[[nodiscard]] double parse_time_limit(const std::string& text);

}  // namespace dnn
