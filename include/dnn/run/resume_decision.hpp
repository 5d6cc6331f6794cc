#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "dnn/checkpoint/checkpoint.hpp"
#include "dnn/checkpoint/run_folder.hpp"
#include "dnn/model/environment.hpp"
#include "dnn/options/config.hpp"
#include "dnn/run/recorded_run.hpp"

namespace dnn {

/// Decides how a run begins: anew, from a checkpoint, or not at all because it is finished.
///
/// Note [The same command again]
/// With --output, repeating the command resumes the run; without --output, every command is a new
/// run in a new folder. Where the folder holds a run:
///
///     --overwrite          the run in the folder is removed, and a new run starts
///     --resume auto        the run resumes from its newest undamaged checkpoint
///     --resume never       refused
///     --resume CHECKPOINT  a checkpoint of this folder: the run goes back to it
///
/// A script or a batch system restarts a job with the options of its first start, which may have
/// taken effect already. So a run that was started (or finished) under the name that --job gives is
/// resumed, even with --overwrite, --resume never or --resume CHECKPOINT.
///
/// Where the folder holds no run, --resume PATH (a run folder, or a checkpoint) starts from there;
/// without --output, the folder is that of PATH. A run that cannot be resumed (its settings or data
/// have changed, all checkpoints are damaged) is refused, never started anew. The exception is a
/// run that ended before its first checkpoint: the same settings, which the folder's record holds,
/// give all of it again. A run without checkpoints (--checkpoint-every off) is refused, since its
/// best model may be all that is left.
struct ResumeDecision {
  RunFolder folder;
  bool finished = false;
  /// The checkpoints to try, in this order; empty: the run starts anew.
  std::vector<std::string> candidates;
  bool begins_again = false;  ///< the run in the folder ended before its first checkpoint
  /// The folder is the first free runs/NNN; another job may take it before this one does.
  bool is_numbered = false;

  /// What the disk says now; changes nothing. Throws InputError for what cannot be done.
  [[nodiscard]] static ResumeDecision find(const Config& config);
};

/// A checkpoint that cannot be used.
struct DamagedCheckpoint {
  std::string path;
  std::string reason;  ///< names the path
};

/// The checkpoint that a run resumes from.
struct ResumedFrom {
  std::string path;
  Checkpoint checkpoint;
  std::vector<DamagedCheckpoint> damaged;  ///< the newer ones
};

/// Reads the first undamaged candidate, and checks that `config` and the data are those of its
/// run. Throws InputError otherwise.
[[nodiscard]] ResumedFrom read_candidates(const ResumeDecision& start, const Config& config,
                                          const DataIdentity& data);

/// A warning that lists the differences between the environment `now` and that of the checkpoint;
/// empty where there is none.
[[nodiscard]] std::string environment_warning(const std::string& path, const Checkpoint& checkpoint,
                                              const Environment& now);

/// Writes into the folder what the run was begun with, so that the same command is known again
/// before the first checkpoint. Throws FileError.
void record_start(const RunFolder& folder, const Config& config, const Environment& environment,
                  const DataIdentity& data);
/// Removes the record of a run that is finished.
void remove_record(const RunFolder& folder);

/// Makes the run folder what it was at the checkpoint: its best model and metrics are those of the
/// checkpoint, and what came later is gone (a damaged checkpoint gets another name). Throws
/// FileError.
void rewind_folder(const RunFolder& folder, const ResumedFrom& from);

}  // namespace dnn
