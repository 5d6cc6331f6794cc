#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "dnn/checkpoint/checkpoint.hpp"
#include "dnn/checkpoint/run_folder.hpp"
#include "dnn/model/environment.hpp"
#include "dnn/run/config.hpp"

namespace dnn {

/// How a run begins: anew, from a checkpoint, or not at all since it is finished.
///
/// Note [The same command again]
/// With --output, the same command goes on where the last run of it ended; without one, every
/// command is a new run in a new folder. Where the folder holds a run:
///
///     --overwrite          the run in it is removed, and this one starts anew
///     --resume auto        it goes on from its newest checkpoint that is whole
///     --resume never       refused
///     --resume CHECKPOINT  a checkpoint of this folder: the run goes back to it
///
/// A job that is started again by a script or a batch system comes with the options of its first
/// start, and may have acted on them already. So where the folder's run was begun (or finished)
/// under the name that --job gives, it goes on: --overwrite, --resume never and --resume CHECKPOINT
/// have done their work.
///
/// Where it holds none, --resume PATH (a run folder, or a checkpoint) starts from there; without
/// --output, the folder is the one that PATH is of. A run that cannot go on as it was (its settings
/// or data have changed, no checkpoint is whole) is refused, never started anew; except one that
/// ended before its first checkpoint: there is nothing that it could lose but what the same
/// settings give again. That it had the same settings, its folder's record says; a run without
/// checkpoints (--checkpoint-every off) is refused, since its best model may be all that is left.
struct RunStart {
  RunFolder folder;
  bool finished = false;
  /// The checkpoints to try, in this order; empty: the run starts anew.
  std::vector<std::string> candidates;
  bool begins_again = false;  ///< the run in the folder ended before its first checkpoint

  /// What the disk says now; changes nothing. Throws InputError for what cannot be done.
  [[nodiscard]] static RunStart find(const Config& config);
};

/// A checkpoint that a run goes on from.
struct ResumedFrom {
  std::string path;
  Checkpoint checkpoint;
  std::vector<std::string> damaged;  ///< what is wrong with each newer one, with its path
};

/// Reads the first of the candidates that is whole, and checks that `config` and the data go on
/// from it. Throws InputError otherwise.
[[nodiscard]] ResumedFrom read_candidates(const RunStart& start, const Config& config,
                                          const std::string& data_sha256);

/// A warning that names what of the `now` environment is another than where the checkpoint was
/// written; empty where nothing is, as far as the checkpoint tells.
[[nodiscard]] std::string environment_warning(const std::string& path, const Checkpoint& checkpoint,
                                              const Environment& now);

/// Writes into the folder what the run was begun with, so that the same command is known again
/// before the first checkpoint. Throws FileError.
void record_start(const RunFolder& folder, const Config& config, const Environment& environment);
/// Removes the record of a run that is finished.
void remove_record(const RunFolder& folder);

/// Makes the run folder what it was at the checkpoint: its best model and metrics are those of the
/// checkpoint, and what came later is gone (a damaged checkpoint gets another name). Throws
/// FileError.
void rewind_folder(const RunFolder& folder, const ResumedFrom& from);

}  // namespace dnn
