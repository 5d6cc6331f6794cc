#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "dnn/model/epoch_metrics.hpp"

namespace dnn {

/// Prints the progress of a run on standard output: a progress bar on a terminal, plain lines
/// otherwise, which come within an epoch too. A quiet one (--quiet) writes into the run's log
/// alone; a silent one (every rank but one) says nothing.
class Reporter {
 public:
  enum class Mode { silent, quiet, lines, terminal };

  /// `log_every`: seconds between lines within an epoch; 0: none.
  explicit Reporter(Mode mode, double log_every = 0) : mode_(mode), log_every_(log_every) {}

  /// While `muted` returns true, epochs are not printed: a job that is being ended may find nobody
  /// who reads its output, and must not wait for one before its checkpoint is written.
  void mute_epochs_when(std::function<bool()> muted) { muted_ = std::move(muted); }

  void line(const std::string& text);

  /// An epoch that begins, or goes on after `done` of its samples.
  struct Epoch {
    std::size_t epoch = 0;   ///< from 1
    std::size_t epochs = 0;  ///< of the run, at most
    std::size_t samples = 0;
    std::size_t done = 0;
  };
  void begin_epoch(const Epoch& epoch);
  /// The training loss that lines within an epoch show from now on.
  void note_loss(double loss) { loss_ = loss; }
  /// `samples` more samples, over all ranks, are done.
  void advance(std::size_t samples);
  void end_epoch(const EpochMetrics& metrics);

 private:
  using Clock = std::chrono::steady_clock;
  void draw();
  void clear();
  [[nodiscard]] double rate() const;
  [[nodiscard]] std::string progress_line() const;

  [[nodiscard]] bool muted() const { return muted_ && muted_(); }

  Mode mode_;
  std::function<bool()> muted_;
  double log_every_;
  std::optional<double> loss_;
  Epoch epoch_;  ///< the one under way
  std::size_t total_done_ = 0;
  Clock::time_point start_;
  Clock::time_point drawn_;  ///< the bar, or a line on the epoch under way
};

/// The line of an epoch: as many of the commonest figures as 80 columns hold.
[[nodiscard]] std::string epoch_line(const EpochMetrics& metrics, std::size_t epochs);

/// 1234567 as "1,234,567".
[[nodiscard]] std::string with_commas(std::uint64_t number);

}  // namespace dnn
