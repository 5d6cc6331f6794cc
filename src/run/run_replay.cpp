#include "dnn/run/run_replay.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "dnn/checkpoint/checkpoint_folder.hpp"
#include "dnn/checkpoint/run_folder.hpp"
#include "dnn/comm/collective_error.hpp"
#include "dnn/comm/program.hpp"
#include "dnn/core/atomic_file.hpp"
#include "dnn/core/error.hpp"
#include "dnn/core/messages.hpp"
#include "dnn/core/threads.hpp"
#include "dnn/options/chosen_defaults.hpp"
#include "dnn/options/config_changes.hpp"
#include "dnn/plan/load_data.hpp"
#include "dnn/plan/run_plan.hpp"
#include "dnn/run/recorded_run.hpp"
#include "dnn/run/resume_decision.hpp"
#include "dnn/run/run_grid.hpp"
#include "dnn/store/data_fingerprint.hpp"
#include "dnn/train/trainer.hpp"

namespace dnn {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

/// The checkpoint that a replay starts from.
struct Origin {
  std::string path;
  Checkpoint checkpoint;
};

/// In a run folder, or a folder of checkpoints: the newest checkpoint of fewer updates.
std::string newest_before(const ReplayRequest& request) {
  for (const std::string& folder : {RunFolder(request.from).checkpoints(), request.from}) {
    const CheckpointFolder checkpoints(folder);
    const std::string limit = checkpoints.file_for(request.update);
    for (const std::string& path : checkpoints.newest_first()) {
      if (std::pair(path.size(), path) < std::pair(limit.size(), limit)) {
        return path;
      }
    }
  }
  throw InputError(fmt::format("--from {}: the folder holds no checkpoint from before update {}",
                               request.from, request.update));
}

Origin find_origin(const ReplayRequest& request) {
  if (!fs::exists(request.from)) {
    throw InputError(fmt::format("--from {}: no such run folder or checkpoint", request.from));
  }
  Origin origin;
  origin.path = fs::is_directory(request.from) ? newest_before(request) : request.from;
  origin.checkpoint = load_checkpoint(origin.path);
  if (request.update <= origin.checkpoint.updates) {
    throw InputError(
        fmt::format("--replay {}: the checkpoint {} is from after update {}, the first that it can "
                    "replay is the next; name an older one with --from",
                    request.update, origin.path, origin.checkpoint.updates));
  }
  return origin;
}

/// The settings of the run, as `ranks` ranks can honour them.
std::string settings_for(const Origin& origin, int ranks) {
  Json settings = Json::parse(origin.checkpoint.configuration, nullptr, false);
  if (!settings.is_object()) {
    throw InputError(origin.path + ": the configuration that was saved cannot be read");
  }
  const Json split = settings.value("model-parallel", Json(1));
  const auto model_ranks = split.is_number_unsigned() ? split.get<std::uint64_t>() : 0;
  if (model_ranks == 0 || static_cast<std::uint64_t>(ranks) % model_ranks != 0) {
    settings["model-parallel"] = 1;
  }
  return settings.dump();
}

/// On rank 0: throws InputError unless this is the run of the checkpoint.
void check_same_run(const Origin& origin, const Config& config, const TrainingData& data,
                    std::uint64_t update) {
  const Checkpoint& checkpoint = origin.checkpoint;
  const std::uint64_t epochs_done = checkpoint.epochs.size() + (checkpoint.step > 0 ? 1 : 0);
  const bool has_same_data = checkpoint.data_sha256 == data_fingerprint(data);
  const auto find_changes = has_same_data ? config_changes : given_changes;
  std::string text;
  for (const std::string& change : find_changes(checkpoint.configuration, config, epochs_done)) {
    text += "\n  " + change;
  }
  if (!text.empty()) {
    throw InputError("--replay repeats what the run did; other settings would be another run:" +
                     text);
  }
  if (!has_same_data) {
    throw InputError(fmt::format(
        "the training data of {} are not those that the checkpoint {} was trained on{}; name these "
        "with --data",
        config.data, origin.path, data_difference(origin.path, DataIdentity::of(data, {}))));
  }
  const std::uint64_t last = config.epochs * data.sampler.steps();
  if (update > last) {
    throw InputError(fmt::format("--replay {}: the run has {} updates ({} epochs of {})", update,
                                 last, config.epochs, data.sampler.steps()));
  }
}

/// On rank 0: prints the report, and writes it where it is asked to.
void give_report(const ReplayedUpdate& replayed, const Origin& origin, const ReplayRequest& request,
                 const RunPlan& plan, bool quiet) {
  if (!quiet) {
    for (const std::string& line : replayed.to_lines()) {
      say(line);
    }
  }
  if (request.output.empty()) {
    return;
  }
  Json report = replayed.to_json();
  report["from"] = origin.path;
  report["ranks"] = plan.ranks;
  report["environment"] = plan.environment.to_json();
  RunFolder(request.output).create();
  const std::string path = request.output + "/replay-" + std::to_string(replayed.update) + ".json";
  write_file_atomically(path, report.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  if (!quiet) {
    say("report: " + path);
  }
}

template <class T>
void replay(const ReplayRequest& request, const Config& config, RankGrid& grid, const RunPlan& plan,
            const TrainingData& data, Origin& origin) {
  const Communicator& world = grid.world();
  Reporter silent(Reporter::Mode::silent);
  Trainer<T> trainer(config, grid, plan, data, silent);
  trainer.resume(std::move(origin.checkpoint));
  const ReplayedUpdate replayed = trainer.replay(request.update);
  agree(world, [&] {
    if (world.is_root()) {
      give_report(replayed, origin, request, plan, config.quiet);
    }
  });
}

int replay_on(const ReplayRequest& request, Config config, RankGrid& grid, Origin& origin) {
  const Communicator& world = grid.world();
  world.heartbeat().begin(Activity::loading);
  const TrainingData data = load_data_and_choose(config, grid);
  const RunPlan plan = agree(world, [&] { return RunPlan::make(config, grid, data); });
  set_threads(plan.threads);
  if (config.length_splits > 0) {
    (void)find_and_use_length(config, grid, plan, data);
  }
  agree(world, [&] {
    if (world.is_root()) {
      check_same_run(origin, config, data, request.update);
      const std::string warning =
          environment_warning(origin.path, origin.checkpoint, plan.environment);
      if (!warning.empty()) {
        complain("dnn_train: warning: " + warning);
      }
    }
  });
  if (config.precision == Precision::f64) {
    replay<double>(request, config, grid, plan, data, origin);
  } else {
    replay<float>(request, config, grid, plan, data, origin);
  }
  return exit_ok;
}

}  // namespace

int run_replay(const ReplayRequest& request, const Communicator& world, StopRequest& stop,
               LaunchTimeout& launch,
               const std::function<Config(const std::string& settings)>& with_settings) {
  stop.at_once(world.is_root());
  Origin origin = agree(world, [&] { return world.is_root() ? find_origin(request) : Origin{}; });
  const std::string settings = world.broadcast(
      agree(world,
            [&] { return world.is_root() ? settings_for(origin, world.size()) : std::string(); }),
      0);
  Config config = agree(world, [&] { return with_settings(settings); });
  config.on_nonfinite = OnNonfinite::skip;
  return run_on_grid(config, world, launch, [&](RankGrid& grid, Watchdog* /*watchdog*/) {
    return replay_on(request, config, grid, origin);
  });
}

}  // namespace dnn
