#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace dnn {

/// What --tensorboard writes.
enum class TensorBoard { off, scalars, histograms };

/// What a run shows of itself while it trains, and how often.
struct ProgressSettings {
  std::string step_log = "auto";  ///< see parse_step_log
  double log_every = 30;          ///< seconds between lines off a terminal; 0: a line an epoch only
  TensorBoard tensorboard = TensorBoard::off;
  std::string trace;        ///< see UpdateRange::parse; empty: none
  std::string openmetrics;  ///< the file; empty: none
};

/// The updates between lines of the step log that "N" asks for; 0 for "off", nothing for "auto".
/// Throws InputError for anything else.
[[nodiscard]] std::optional<std::uint64_t> parse_step_log(const std::string& text);

/// What the work of an update follows from, and how many there are in a run.
struct RunSize {
  std::size_t parameters = 1;  ///< of sparse rows without the first layer's weights; at least 1
  std::size_t batch_size = 1;  ///< over all ranks
  std::uint64_t updates = 0;
};

/// The updates between lines of the step log: what the settings say, see Note [How often the step
/// log has a line]; 0: never.
[[nodiscard]] std::uint64_t step_log_interval(const std::string& step_log, const RunSize& size);

/// Updates `first` to `last`, from 1.
struct UpdateRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;

  [[nodiscard]] bool holds(std::uint64_t update) const { return update >= first && update <= last; }

  /// "100-120" or "100". Throws InputError for anything else, and for more than 10,000 updates.
  [[nodiscard]] static UpdateRange parse(const std::string& text);
};

}  // namespace dnn
