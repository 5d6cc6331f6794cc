#include "dnn/run/run_training.hpp"

#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "dnn/checkpoint/checkpoint_control.hpp"
#include "dnn/checkpoint/checkpoint_folder.hpp"
#include "dnn/checkpoint/checkpoint_interval.hpp"
#include "dnn/checkpoint/run_folder.hpp"
#include "dnn/comm/collective_error.hpp"
#include "dnn/comm/core_watch.hpp"
#include "dnn/comm/program.hpp"
#include "dnn/comm/watchdog.hpp"
#include "dnn/core/available_memory.hpp"
#include "dnn/core/error.hpp"
#include "dnn/core/messages.hpp"
#include "dnn/core/threads.hpp"
#include "dnn/data/describe_schema.hpp"
#include "dnn/options/chosen_defaults.hpp"
#include "dnn/plan/load_data.hpp"
#include "dnn/plan/run_plan.hpp"
#include "dnn/report/openmetrics_file.hpp"
#include "dnn/report/terminal.hpp"
#include "dnn/run/explain_data.hpp"
#include "dnn/run/finished_run.hpp"
#include "dnn/run/resume_decision.hpp"
#include "dnn/run/run_beginning.hpp"
#include "dnn/run/run_folds.hpp"
#include "dnn/run/run_grid.hpp"
#include "dnn/run/run_lock.hpp"
#include "dnn/run/run_report.hpp"
#include "dnn/run/run_summary.hpp"
#include "dnn/run/split_report.hpp"
#include "dnn/train/run_progress.hpp"
#include "dnn/train/trainer.hpp"

namespace dnn {

namespace {

Reporter::Mode reporter_mode(const Config& config, const Communicator& world) {
  if (config.quiet || !world.is_root()) {
    return world.is_root() ? Reporter::Mode::quiet : Reporter::Mode::silent;
  }
  return output_is_terminal() ? Reporter::Mode::terminal : Reporter::Mode::lines;
}

/// On rank 0: a file `stop` in the run folder asks to stop; one from before this run does not. The
/// time is that of the folder's file system. A file of the future is of a clock that was ahead.
void watch_stop_file(const RunFolder& folder, StopRequest& stop) {
  namespace fs = std::filesystem;
  std::error_code error;
  const auto written = fs::last_write_time(folder.stop(), error);
  if (!error) {
    const auto now = folder.file_time();
    const auto since_start = std::chrono::duration_cast<fs::file_time_type::duration>(
        StopRequest::Clock::now() - stop.start());
    if (written < now - since_start || written > now) {
      fs::remove(folder.stop(), error);
    }
  }
  stop.watch(
      [path = folder.stop()] {
        std::error_code ignored;
        return fs::exists(path, ignored);
      },
      "the file " + folder.stop());
}

/// On rank 0: the run in this folder was finished before.
void say_finished(const Communicator& world, const std::string& folder, Reporter& reporter) {
  if (world.is_root()) {
    reporter.line(describe_finished(RunFolder(folder)));
  }
}

/// On rank 0, see CheckpointControl::Settings.
Checkpoint go_back(const Config& config, const RunFolder& folder, const DataIdentity& data) {
  const ResumeDecision newest{folder, false, CheckpointFolder(folder.checkpoints()).newest_first(),
                              false, false};
  ResumedFrom from = read_candidates(newest, config, data);
  warn_of_damage(from);
  rewind_folder(folder, from);
  return std::move(from.checkpoint);
}

/// Collective: one line, where some nodes have too small a /dev/shm.
void report_shared_memory(RankGrid& grid, Reporter& reporter) {
  const std::string& of_data = grid.node().memory_note();
  const std::string own = of_data.empty() ? grid.data_domain().memory_note() : of_data;
  std::string first;
  std::size_t hosts = 0;
  for (const std::string& note :
       grid.world().gather(own.empty() ? own : "host " + host_name() + ": " + own, 0)) {
    first = first.empty() ? note : first;
    hosts += note.empty() ? 0 : 1;
  }
  if (!first.empty()) {
    reporter.line("note: " + first +
                  (hosts > 1 ? fmt::format(" (and so on {} others)", hosts - 1) : std::string()));
  }
}

/// Collective: which columns count, where that is asked for; tells it and its time.
template <class T>
Importance find_importance(const Config& config, Trainer<T>& trainer, Reporter& reporter,
                           FinalFigures& figures) {
  if (config.importance == ColumnImportance::off) {
    return {.left_out = "It was switched off (--importance off)."};
  }
  const Stopwatch watch;
  Importance importance = trainer.importance();
  figures.importance_seconds = watch.seconds();
  if (importance.left_out.empty()) {
    reporter.line(fmt::format("columns that count most: {} (importance of {} columns, {:.2f} s)",
                              importance.in_words(), importance.columns.size(),
                              figures.importance_seconds));
  }
  return importance;
}

/// Returns the exit code.
template <class T>
int train(const Config& config, RankGrid& grid, const RunPlan& plan, const TrainingData& data,
          const std::optional<FoundLength>& found, const Beginning& beginning, Reporter& reporter,
          StopRequest& stop, Watchdog* watchdog, const Stopwatch& since_start) {
  const Communicator& world = grid.world();
  const DataIdentity identity = agree(world, [&] {
    return world.is_root() ? DataIdentity::of(data, beginning.files) : DataIdentity{};
  });
  OpenedFolder opened = open_run_folder(config, world, plan, beginning, identity, reporter);
  const RunFolder& folder = opened.folder;
  if (opened.finished) {
    say_finished(world, folder.path(), reporter);
    return exit_ok;
  }
  if (watchdog != nullptr) {
    watchdog->use_folder(folder.path());
  }
  if (world.is_root()) {
    watch_stop_file(folder, stop);
  }
  FinalFigures figures;
  figures.data = identity;
  if (config.folds > 0) {
    figures.folds = run_folds<T>({config, plan, data, found, folder, !opened.resumed_from.empty()},
                                 grid, reporter);
  }
  CheckpointControl control(world, &stop,
                            {CheckpointInterval::parse(config.checkpoint_every), config.keep,
                             folder.checkpoints(), identity.sha256, plan.parallel_checkpoints,
                             [&] { return go_back(config, folder, identity); }});
  const CoreWatch cores(grid.node(), world.rank(), !plan.shared_cores, "dnn_train");
  const std::size_t first_layer = plan.layout.widths()[0] * plan.layout.widths()[1];
  const Checkpoint none;
  const Checkpoint& done = opened.from ? opened.from->checkpoint : none;
  RunProgress progress({config,
                        world,
                        folder,
                        reporter,
                        {plan.layout.parameter_count() - (data.sparse_rows ? first_layer : 0),
                         data.batch_size, config.epochs * data.sampler.steps()},
                        config.epochs,
                        {to_toml(config), hyperparameters(config)},
                        done.epochs.size(),
                        done.updates});
  Trainer<T> trainer(config, grid, plan, data, reporter,
                     {provenance_of(config, plan.environment), &folder, &control, &progress});
  report_shared_memory(grid, reporter);
  if (!opened.resumed_from.empty()) {
    reporter.line("resuming from " + opened.resumed_from);
    trainer.resume(opened.from ? std::move(opened.from->checkpoint) : Checkpoint{});
    opened.from.reset();
  }
  stop.defer();
  trainer.run();
  if (trainer.result().interrupted) {
    reporter.line(fmt::format("stopped by {}; checkpoint {}; {} from it", control.stop_reason(),
                              control.report().last_written, how_to_resume(config, folder)));
    return exit_try_again;
  }
  if (control.settings().interval.unit != CheckpointInterval::Unit::never) {
    // The last checkpoint holds all that evaluation needs.
    stop.at_once(world.is_root(), how_to_resume(config, folder));
  }

  figures.evaluated_on = evaluated_set(data);
  figures.length = found;
  figures.last_sha256 = trainer.parameters_sha256();
  Confusion confusion;
  figures.last = trainer.final_evaluation(confusion);
  trainer.use_best();
  figures.label_thresholds = trainer.label_thresholds();
  figures.best_sha256 = trainer.parameters_sha256();
  confusion.clear();
  nlohmann::ordered_json plots;
  figures.best = trainer.final_evaluation(confusion, &plots);
  const Importance importance = find_importance(config, trainer, reporter, figures);
  write_evaluation(world, folder, figures, plots, importance);
  if (data.train.task == Task::classes) {
    write_confusion(world, folder, data.train.class_names, confusion);
  }
  figures.core_share = cores.share();
  figures.total_seconds = since_start.seconds();
  figures.checkpoints = control.report();
  figures.checkpoint_stall_seconds = control.stall_seconds();
  figures.resumed_from = opened.resumed_from;
  const TrainingResult& result = trainer.result();
  progress.conclude(figures.best, result.epochs.size() * data.sampler.steps());
  write_summary(world, folder, config, plan, data, result, figures);
  if (world.is_root()) {
    remove_record(folder);
  }

  for (const std::string& line : describe_result(folder, config, result, figures)) {
    reporter.line(line);
  }
  return exit_ok;
}

/// On rank 0: a job that was killed when all was done has left its lock, and the record of its
/// start.
void remove_leftovers(const Communicator& world, const std::string& path) {
  try {
    if (world.is_root()) {
      const RunLock lock = RunLock::take(path, std::chrono::seconds(0));
      remove_record(RunFolder(path));
    }
  } catch (const InputError&) {
    // Somebody else's, or a folder that may only be read: nothing of it is needed.
  }
}

/// Collective: finds how long to train, and says so.
FoundLength search_length(Config& config, RankGrid& grid, const RunPlan& plan,
                          const TrainingData& data, Reporter& reporter) {
  FoundLength found = find_and_use_length(config, grid, plan, data);
  reporter.line(describe_length(found));
  return found;
}

/// Collective: the run between the making of the node and its end. `watchdog` may be null.
int run_on(Config config, RankGrid& grid, StopRequest& stop, Watchdog* watchdog) {
  const Communicator& world = grid.world();
  const Stopwatch since_start;
  stop.at_once(world.is_root());
  if (!config.time_limit.empty()) {
    stop.limit_time(std::chrono::duration<double>(parse_time_limit(config.time_limit)));
  }
  Reporter reporter(reporter_mode(config, world), config.log_every);
  reporter.mute_epochs_when([&stop] { return stop.requested(); });
  reporter.line("dnn_train " DNN_VERSION);
  if (config.data == builtin_digits_name) {
    reporter.line(
        "training on the built-in data: 1,797 handwritten digits of 8 x 8 pixels (UCI, CC BY 4.0);"
        "\nname your own with --data FILE or FOLDER, see --help");
  }
  const Beginning beginning = find_beginning(config, world);
  if (!beginning.reads_data) {
    remove_leftovers(world, beginning.path);
    say_finished(world, beginning.path, reporter);
    return exit_ok;
  }
  agree(world, [&] {
    if (world.is_root() && !config.openmetrics.empty() && !beginning.finished) {
      OpenMetricsFile::check(config.openmetrics);
    }
  });
  if (watchdog != nullptr && !beginning.is_numbered) {
    watchdog->use_folder(beginning.path);
  }
  world.heartbeat().begin(Activity::loading);
  const std::size_t base = resident_memory();
  TrainingData data = load_data_and_choose(config, grid);
  if (beginning.finished) {
    agree(world, [&] {
      if (world.is_root()) {
        check_finished_data(RunFolder(beginning.path), config,
                            DataIdentity::of(data, beginning.files));
      }
    });
    if (!config.dry_run) {
      say_finished(world, beginning.path, reporter);
      return exit_ok;
    }
  }
  RunPlan plan = agree(world, [&] { return RunPlan::make(config, grid, data); });
  plan.base_bytes = base;
  set_threads(plan.threads);
  for (const std::string& line : describe(plan, config, data)) {
    reporter.line(line);
  }
  std::optional<FoundLength> found;
  if (config.dry_run) {
    for (const std::string& line : describe(data.train.schema)) {
      reporter.line(line);
    }
    for (const std::string& line : describe_split(plan, config, data)) {
      reporter.line(line);
    }
    for (const std::string& line : describe_shares(plan, data)) {
      reporter.line(line);
    }
    if (beginning.finished) {
      say_finished(world, beginning.path, reporter);
    } else if (beginning.resumes) {
      reporter.line(fmt::format("resume:   the run in {} would be resumed", beginning.path));
    }
    reporter.line("dry run: configuration and data are good; nothing was trained or written");
    return exit_ok;
  }
  if (config.length_splits > 0) {
    found = search_length(config, grid, plan, data, reporter);
    data.train.label_thresholds = found->label_thresholds;
  }
  return config.precision == Precision::f64
             ? train<double>(config, grid, plan, data, found, beginning, reporter, stop, watchdog,
                             since_start)
             : train<float>(config, grid, plan, data, found, beginning, reporter, stop, watchdog,
                            since_start);
}

}  // namespace

int run_training(const Config& config, const Communicator& world, StopRequest& stop,
                 LaunchTimeout& launch) {
  if (!config.explain_data.empty()) {
    return explain_data(config, world);
  }
  return run_on_grid(config, world, launch, [&](RankGrid& grid, Watchdog* watchdog) {
    return run_on(config, grid, stop, watchdog);
  });
}

}  // namespace dnn
