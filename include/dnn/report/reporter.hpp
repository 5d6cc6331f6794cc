#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "dnn/model/epoch_metrics.hpp"

namespace dnn {

/// Prints the progress of a run on standard output: a progress bar on a terminal, plain lines
/// otherwise. A quiet one (--quiet) writes into the run's log alone; a silent one (every rank but
/// one) says nothing.
class Reporter {
 public:
  enum class Mode { silent, quiet, lines, terminal };

  explicit Reporter(Mode mode) : mode_(mode) {}

  /// While `muted` returns true, epochs are not printed: a job that is being ended may find nobody
  /// who reads its output, and must not wait for one before its checkpoint is written.
  void mute_epochs_when(std::function<bool()> muted) { muted_ = std::move(muted); }

  void line(const std::string& text);

  void begin_epoch(std::size_t epoch, std::size_t epochs, std::size_t samples);
  /// `samples` more samples, over all ranks, are done.
  void advance(std::size_t samples);
  void end_epoch(const EpochMetrics& metrics);

 private:
  using Clock = std::chrono::steady_clock;
  void draw();
  void clear();

  [[nodiscard]] bool muted() const { return muted_ && muted_(); }

  Mode mode_;
  std::function<bool()> muted_;
  std::size_t epoch_ = 0;
  std::size_t epochs_ = 0;
  std::size_t samples_ = 0;  ///< of an epoch
  std::size_t done_ = 0;     ///< of this epoch
  std::size_t total_done_ = 0;
  Clock::time_point start_;
  Clock::time_point drawn_;
};

/// 1234567 as "1,234,567".
[[nodiscard]] std::string with_commas(std::uint64_t number);

}  // namespace dnn
