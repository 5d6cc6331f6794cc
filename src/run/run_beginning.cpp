#include "dnn/run/run_beginning.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstdint>

#include "dnn/checkpoint/checkpoint_folder.hpp"
#include "dnn/comm/collective_error.hpp"
#include "dnn/core/messages.hpp"
#include "dnn/report/event_file.hpp"
#include "dnn/run/finished_run.hpp"

namespace dnn {

namespace {

void warn_of_environment(const ResumedFrom& from, const Environment& now) {
  const std::string warning = environment_warning(from.path, from.checkpoint, now);
  if (!warning.empty()) {
    complain("dnn_train: warning: " + warning);
  }
}

/// On rank 0: locks the run folder and prepares it for a run that starts anew or resumes.
OpenedFolder open_folder(const Config& config, const RunPlan& plan, const Beginning& beginning,
                         const DataIdentity& data, Reporter& reporter) {
  OpenedFolder opened{RunFolder(beginning.path), {}, {}, {}, false};
  if (beginning.is_numbered) {
    opened.folder = RunFolder::prepare_numbered(plan.disk_bytes);
  } else {
    opened.folder.prepare(plan.disk_bytes);
  }
  const std::string& path = opened.folder.path();
  opened.lock = RunLock::take(path, std::chrono::seconds(10));
  if (!opened.lock->stale().empty()) {
    reporter.line(fmt::format("note: the run in {} ended without releasing its folder ({})", path,
                              opened.lock->stale()));
  }
  // Only now does nobody else change what is in it.
  Config own = config;
  own.output = path;
  const ResumeDecision start = ResumeDecision::find(own);
  if (start.finished) {  // by a job of the same command, since find_beginning
    check_finished_data(opened.folder, config, data);
    remove_record(opened.folder);
    opened.finished = true;
    return opened;
  }
  if (start.begins_again) {
    reporter.line(fmt::format(
        "note: the run in {} ended before its first checkpoint and starts again from the beginning",
        path));
  }
  if (start.candidates.empty()) {
    opened.folder.clear();
    remove_event_files(opened.folder.tensorboard());
    record_start(opened.folder, config, plan.environment, data);
  } else {
    opened.from = read_candidates(start, own, data);
    warn_of_damage(*opened.from);
    warn_of_environment(*opened.from, plan.environment);
    record_start(opened.folder, config, plan.environment, data);
    rewind_folder(opened.folder, *opened.from);
    opened.resumed_from = opened.from->path;
  }
  CheckpointFolder(opened.folder.checkpoints()).create();
  use_log(opened.folder.log(), true);
  if (opened.lock->refusal() != 0) {
    complain(fmt::format(
        "dnn_train: warning: the file system of {} does not support locks (flock: error {}), so "
        "host and process in {}/.lock are the lock. Do not start two jobs of different hosts in "
        "this folder",
        path, opened.lock->refusal(), path));
  }
  for (const std::string& weakness : opened.folder.weaknesses()) {
    complain("dnn_train: warning: " + weakness);
  }
  return opened;
}

}  // namespace

void warn_of_damage(const ResumedFrom& from) {
  for (const DamagedCheckpoint& one : from.damaged) {
    complain("dnn_train: warning: skipped a damaged checkpoint: " + one.reason);
  }
}

Beginning find_beginning(const Config& config, const Communicator& world) {
  const Beginning own = agree(world, [&] {
    if (!world.is_root()) {
      return Beginning{};
    }
    const ResumeDecision start = ResumeDecision::find(config);
    const DataFiles files = DataFiles::of(config);
    return Beginning{.path = start.folder.path(),
                     .finished = start.finished,
                     .reads_data = !start.finished || must_read_data(start.folder, config, files),
                     .resumes = !start.candidates.empty(),
                     .is_numbered = start.is_numbered,
                     .files = files};
  });
  const auto flags =
      world.all_reduce<std::int64_t>((own.finished ? 1 : 0) + (own.resumes ? 2 : 0) +
                                         (own.is_numbered ? 4 : 0) + (own.reads_data ? 8 : 0),
                                     Reduction::max);
  return {.path = world.broadcast(own.path, 0),
          .finished = (flags & 1) != 0,
          .reads_data = (flags & 8) != 0,
          .resumes = (flags & 2) != 0,
          .is_numbered = (flags & 4) != 0,
          .files = own.files};
}

OpenedFolder open_run_folder(const Config& config, const Communicator& world, const RunPlan& plan,
                             const Beginning& beginning, const DataIdentity& data,
                             Reporter& reporter) {
  OpenedFolder opened = agree(world, [&] {
    return world.is_root() ? open_folder(config, plan, beginning, data, reporter)
                           : OpenedFolder{RunFolder(beginning.path), {}, {}, {}, false};
  });
  opened.folder = RunFolder(world.broadcast(opened.folder.path(), 0));
  opened.finished = world.all_reduce<std::int64_t>(opened.finished ? 1 : 0, Reduction::max) != 0;
  if (opened.finished) {
    return opened;
  }
  if (!world.is_root()) {
    use_log(opened.folder.log(), false);
  }
  opened.resumed_from = world.broadcast(opened.resumed_from, 0);
  return opened;
}

}  // namespace dnn
