#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "dnn/core/stopwatch.hpp"
#include "dnn/report/progress_sink.hpp"

namespace dnn {

/// A text file in the OpenMetrics format, which the textfile collector of Prometheus's
/// node_exporter also takes: how far a run is and how fast. Replaced as a whole, at most every five
/// seconds, and at the end.
class OpenMetricsFile : public ProgressSink {
 public:
  /// The run, and how far it was when this process began to train.
  struct Run {
    std::string name;  ///< the label `run` of all metrics
    std::size_t epochs = 0;
    std::uint64_t ranks = 0;
    std::uint64_t epochs_done = 0;
    std::uint64_t updates_done = 0;
  };
  /// Throws InputError where `path` is a file that holds something else: it would be replaced.
  static void check(const std::string& path);

  OpenMetricsFile(std::string path, const Run& run)
      : path_(std::move(path)),
        run_(run),
        update_(run.updates_done),
        epochs_done_(run.epochs_done) {}

  [[nodiscard]] std::string name() const override { return "OpenMetrics file"; }
  void add(const StepRecord& record) override;
  void add(const EpochMetrics& epoch, std::uint64_t update) override;
  void flush() override;

 private:
  void write_if_due();
  [[nodiscard]] std::string text() const;

  std::string path_;
  Run run_;
  std::uint64_t update_;
  std::uint64_t epochs_done_;
  std::uint64_t samples_ = 0;
  std::optional<StepRecord> step_;
  std::optional<EpochMetrics> epoch_;
  std::optional<Stopwatch> since_write_;
};

/// A value of an OpenMetrics label: backslashes, quotes and line ends escaped, and bytes that are
/// no UTF-8 replaced.
[[nodiscard]] std::string escaped_label(const std::string& value);

}  // namespace dnn
