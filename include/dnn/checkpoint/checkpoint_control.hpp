#pragma once

// Decides when a run writes checkpoints, hands them to the writer, and decides when the run stops.

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "dnn/checkpoint/checkpoint_interval.hpp"
#include "dnn/checkpoint/checkpoint_writer.hpp"
#include "dnn/checkpoint/parallel_checkpoint.hpp"
#include "dnn/comm/communicator.hpp"
#include "dnn/comm/stop_source.hpp"
#include "dnn/core/stopwatch.hpp"

namespace dnn {

/// The ranks have agreed to stop: thrown on all of them at the same point.
class StopAgreed : public std::exception {
 public:
  [[nodiscard]] const char* what() const noexcept override { return "the run was asked to stop"; }
};

/// Decides when a run writes checkpoints and when it stops; all ranks decide the same.
///
/// Note [Agreement now and then]
/// A rank that is asked to stop cannot stop alone: all must do so after the same update. A
/// reduction after every update would cost small networks more than the update, so the ranks ask
/// each other after every k-th, where k is such that about `agreement_seconds` pass. The next k is
/// agreed on with the rest: the smallest of what the ranks measured.
class CheckpointControl {
 public:
  struct Settings {
    CheckpointInterval interval;
    std::size_t keep = 3;
    std::string folder;       ///< of the checkpoints; empty: none are written
    std::string data_sha256;  ///< see data_fingerprint
    bool parallel = false;    ///< all ranks write, where the folder is one for all of them
    /// On rank 0: reads the newest good checkpoint, and makes the run folder what it was then.
    /// Throws InputError where there is none.
    std::function<Checkpoint()> go_back;
  };

  enum class Order { go_on, checkpoint, stop };

  /// `stop` may be null (nothing asks to stop); both must outlive the control.
  CheckpointControl(const Communicator& world, const StopSource* stop, Settings settings);

  /// Collective, after each update but an epoch's last, and after an epoch: what to do before the
  /// next. `updates`: of the whole run. After the last epoch (`is_last`) there is always a
  /// checkpoint, unless the interval is never.
  [[nodiscard]] Order after_update(std::uint64_t updates);
  [[nodiscard]] Order after_epoch(std::uint64_t updates, std::uint64_t epoch, bool is_last);

  /// Collective, at the same points on all ranks: throws StopAgreed on all of them if one is asked
  /// to stop.
  void check_stop();

  /// Collective: hands the checkpoint of rank 0 to its writer. `stall`: seconds that training stood
  /// still for it.
  void submit(Checkpoint checkpoint, double stall);
  /// Collective, where writes_parts() holds: the same for a checkpoint of which every rank gives
  /// its part, see ParallelCheckpoint. Rank 0 commits it when the ranks next agree that all have
  /// written theirs.
  void submit_part(Checkpoint checkpoint, ElementRuns elements, std::vector<std::byte> bytes,
                   double stall);

  /// Collective: waits until everything is written. Throws AgreedError if the last write failed.
  void finish();
  /// Collective: waits until everything is written, or has failed to be.
  void wait();

  [[nodiscard]] const Settings& settings() const { return settings_; }
  /// Collective: whether the folder holds a checkpoint.
  [[nodiscard]] bool has_checkpoint() const;
  [[nodiscard]] bool writes() const { return !settings_.folder.empty(); }
  /// Whether checkpoints are written by all ranks; the same on all of them.
  [[nodiscard]] bool writes_parts() const { return settings_.parallel; }
  [[nodiscard]] double stall_seconds() const { return stall_seconds_; }
  /// On rank 0, of the writer.
  [[nodiscard]] CheckpointWriter::Report report() const;
  /// Collective: what asked to stop, on rank 0.
  [[nodiscard]] std::string stop_reason() const;

 private:
  struct Agreed {
    bool stop = false;
    bool seconds_over = false;  ///< since the last checkpoint
  };
  Agreed agree_now_and_then();
  [[nodiscard]] bool seconds_over() const;
  /// Collective: hands the parts that the ranks have under way to rank 0's writer, when all are
  /// written.
  void commit_parts();

  const Communicator& world_;
  const StopSource* stop_;
  Settings settings_;
  std::unique_ptr<CheckpointWriter> writer_;  ///< rank 0's
  std::optional<ParallelCheckpoint> parts_;   ///< under way, on all ranks or on none
  Stopwatch since_agreement_;
  Stopwatch since_checkpoint_;
  std::int64_t calls_ = 0;   ///< since the last agreement
  std::int64_t period_ = 1;  ///< k
  double stall_seconds_ = 0;
};

}  // namespace dnn
