#pragma once

#include <cstdint>
#include <limits>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

#include "dnn/model/epoch_metrics.hpp"

namespace dnn {

/// Seconds of a phase, by its name.
using NamedSeconds = std::vector<std::pair<std::string, double>>;

/// What the updates since the record before did. A number that is not known is NaN.
struct StepRecord {
  static constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

  std::uint64_t update = 0;   ///< of the last of them, from 1
  std::uint64_t epoch = 0;    ///< that it belongs to, from 1
  std::uint64_t updates = 0;  ///< how many there are
  std::uint64_t skipped = 0;  ///< how many of them were not finite and were left out
  double loss = unknown;      ///< the mean over the samples of the others, over all ranks
  /// The norm of all gradients of the last update, before any clipping.
  double gradient_norm = unknown;
  double learning_rate = unknown;  ///< of the last update
  std::uint64_t samples = 0;       ///< of all of them, over all ranks
  double samples_per_second = unknown;
  NamedSeconds seconds;        ///< rank 0's mean of an update
  NamedSeconds total_seconds;  ///< rank 0's since the process began to train
  double time = 0;             ///< seconds since 1970-01-01 UTC

  /// A line of steps.jsonl; what depends on the machine comes last.
  [[nodiscard]] nlohmann::ordered_json to_json() const;
};

/// A file that follows a run while it trains. On rank 0. Everything throws InputError where the
/// file cannot be written; what was given then waits until the next call.
class ProgressSink {
 public:
  ProgressSink() = default;
  ProgressSink(const ProgressSink&) = delete;
  ProgressSink& operator=(const ProgressSink&) = delete;
  virtual ~ProgressSink() = default;

  /// What it writes, in a warning: "step log".
  [[nodiscard]] virtual std::string name() const = 0;
  virtual void add(const StepRecord& record) = 0;
  /// An epoch that ended with `update`.
  virtual void add(const EpochMetrics& epoch, std::uint64_t update) = 0;
  /// All that was added is in the file now.
  virtual void flush() = 0;
  /// The run went back to a checkpoint, and the run folder's files with it (see rewind_folder):
  /// continues with the files as they are now. What was added and is in no file is dropped.
  virtual void went_back() {}
};

}  // namespace dnn
