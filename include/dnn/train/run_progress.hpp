#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dnn/checkpoint/run_folder.hpp"
#include "dnn/comm/communicator.hpp"
#include "dnn/model/epoch_metrics.hpp"
#include "dnn/nn/softmax.hpp"
#include "dnn/report/event_file.hpp"
#include "dnn/report/progress_settings.hpp"
#include "dnn/report/progress_sink.hpp"
#include "dnn/report/reporter.hpp"
#include "dnn/train/phase_seconds.hpp"
#include "dnn/train/phase_trace.hpp"

namespace dnn {

/// What a run shows of itself while it trains, besides the metrics of its epochs: the step log, the
/// events for TensorBoard, the OpenMetrics file and the trace. Every rank has one; rank 0's writes.
/// Where a file cannot be written, one warning goes to standard error, and training continues.
class RunProgress {
 public:
  /// All references must outlive it.
  struct Setup {
    const ProgressSettings& settings;
    const Communicator& world;
    const RunFolder& folder;
    Reporter& reporter;
    RunSize size;
    std::size_t epochs = 0;
    EventHeader header;
    std::uint64_t epochs_done = 0;  ///< on rank 0: what the run resumes from
    std::uint64_t updates_done = 0;
  };
  /// On rank 0: begins the files.
  explicit RunProgress(const Setup& setup);

  /// Whether the gradients' norm of `update` is wanted; the same on all ranks.
  [[nodiscard]] bool wants_norm(std::uint64_t update) const {
    return interval_ > 0 && update % interval_ == 0;
  }
  /// Whether histograms of the parameters are wanted after each epoch; the same on all ranks.
  [[nodiscard]] bool wants_histograms() const {
    return setup_.settings.tensorboard == TensorBoard::histograms;
  }
  /// Where the phases of `update` go, or those that follow it before the next one; null: nowhere.
  [[nodiscard]] PhaseTrace* trace_of(std::uint64_t update);

  /// An update that is done.
  struct Update {
    std::uint64_t update = 0;  ///< from 1
    std::uint64_t epoch = 0;
    bool counts = true;  ///< false: it was left out
    const LossSums& sums;
    double gradient_norm = 0;  ///< where it was wanted
    double learning_rate = 0;
    std::size_t samples = 0;      ///< over all ranks
    const PhaseSeconds& seconds;  ///< of this rank since the process began to train
  };
  /// Collective after every update.
  void after_update(const Update& update);

  /// After each epoch, of which `update` was the last. `tensors`: rank 0's, where they are wanted.
  void after_epoch(const EpochMetrics& epoch, std::uint64_t update,
                   const std::vector<NamedHistogram>& tensors);

  /// All that was noted is in the files.
  void flush();

  /// The run went back to a checkpoint, and so did its files. `seconds`: as of an update.
  void went_back(const PhaseSeconds& seconds);

  /// On all ranks, at the end of a run that has trained to its end: `update` was its last one, and
  /// its best model is `best`.
  void conclude(const Evaluation& best, std::uint64_t update);

  /// Collective, at the end or where the run stops: writes what is left.
  void finish();

 private:
  void open_sinks();
  void add_to_sinks(const std::function<void(ProgressSink&)>& what);
  void attempt(bool& failed, const std::string& what, const std::function<void()>& work);
  void write_trace();

  Setup setup_;
  std::uint64_t interval_;
  std::optional<UpdateRange> traced_;
  PhaseTrace trace_;

  // Since the last line of the step log.
  ExactSum loss_;
  ExactSum weight_;
  std::uint64_t updates_ = 0;
  std::uint64_t skipped_ = 0;
  std::uint64_t samples_ = 0;
  PhaseSeconds seconds_before_;  ///< what seconds were then

  // Rank 0's.
  struct Sink {
    std::unique_ptr<ProgressSink> sink;
    bool failed = false;  ///< a warning told of it
  };
  std::vector<Sink> sinks_;
  EventFile* events_ = nullptr;  ///< one of the sinks
};

}  // namespace dnn
