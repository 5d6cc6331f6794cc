#include "dnn/run/resume_decision.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "dnn/checkpoint/checkpoint_folder.hpp"
#include "dnn/core/atomic_file.hpp"
#include "dnn/core/error.hpp"
#include "dnn/core/program_name.hpp"
#include "dnn/data/table_schema_json.hpp"
#include "dnn/model/container.hpp"
#include "dnn/options/chosen_defaults.hpp"
#include "dnn/options/config_changes.hpp"
#include "dnn/report/event_file.hpp"
#include "dnn/report/metrics_log.hpp"
#include "dnn/report/step_log.hpp"

namespace dnn {

namespace fs = std::filesystem;

namespace {

using Json = nlohmann::ordered_json;

constexpr const char* how_to_proceed =
    "; undo the change, name another folder with --output, or start again with --overwrite";

[[noreturn]] void refuse_changes(const std::string& what, const std::vector<std::string>& changes) {
  std::string text = what + " was made with other settings and cannot be resumed with these:";
  for (const std::string& change : changes) {
    text += "\n  " + change;
  }
  throw InputError(fmt::format("{}\n{}", text, (how_to_proceed + 2)));
}

bool names_a_path(const Config& config) {
  return config.resume != "auto" && config.resume != "never";
}

/// The checkpoints that --resume PATH means.
std::vector<std::string> checkpoints_of(const std::string& path) {
  if (!fs::is_directory(path)) {
    if (!fs::exists(path)) {
      throw InputError(fmt::format("--resume {}: no such run folder or checkpoint", path));
    }
    return {path};
  }
  for (const std::string& folder : {RunFolder(path).checkpoints(), path}) {
    auto found = CheckpointFolder(folder).newest_first();
    if (!found.empty()) {
      return found;
    }
  }
  throw InputError(fmt::format("--resume {}: the folder holds no checkpoint", path));
}

bool same_folder(const std::string& a, const std::string& b) {
  std::error_code error;
  return fs::equivalent(a, b, error);
}

/// Whether --resume names a checkpoint of the run in this folder.
bool goes_back(const RunFolder& folder, const Config& config) {
  return names_a_path(config) && !fs::is_directory(config.resume) &&
         same_folder(run_folder_of(config.resume), folder.path());
}

/// `config`, but for what the job of this name has done already in this folder.
Config without_done(const RunFolder& folder, Config config) {
  const auto is_of_job = [&config](const std::string& path) {
    const Json record = read_record(path);
    return text_at(record, "configuration", "job") == config.job;
  };
  if (!config.job.empty() && (is_of_job(folder.started()) || is_of_job(folder.summary()))) {
    config.overwrite = false;
    if (config.resume == "never" || goes_back(folder, config)) {
      config.resume = "auto";
    }
  }
  return config;
}

/// Whether the run of this folder is finished, as far as `config` goes. Throws InputError where it
/// is the run of another configuration.
bool is_finished(const RunFolder& folder, const Config& config) {
  const Json summary = read_record(folder.summary());
  if (summary.is_null() || !summary.value("epochs_run", Json()).is_number_unsigned()) {
    return false;
  }
  const auto done = summary["epochs_run"].get<std::uint64_t>();
  // Where the data decide otherwise than then, the data are others, and that is told.
  const auto changes = given_changes(summary["configuration"].dump(), config, done);
  if (!changes.empty()) {
    refuse_changes("the run in " + folder.path(), changes);
  }
  // What the data decide is not known yet, and the same as then.
  const Json epochs = is_open(config, "epochs") && !config.resolved
                          ? summary["configuration"].value("epochs", Json(config.epochs))
                          : Json(config.epochs);
  return done >= epochs.get<std::uint64_t>() || summary.value("stopped_early", Json()) == true;
}

/// Whether the run in this folder, which has no checkpoint, ended before its first one and can
/// begin again. Throws InputError where it had other settings.
bool can_begin_again(const RunFolder& folder, const Config& config) {
  const Json record = read_record(folder.started());
  if (fs::exists(folder.summary()) || record.is_null() ||
      text_at(record, "configuration", "checkpoint-every") == "off") {
    return false;
  }
  const auto changes = given_changes(record["configuration"].dump(), config, 0);
  if (!changes.empty()) {
    refuse_changes("the run in " + folder.path(), changes);
  }
  return true;
}

}  // namespace

ResumeDecision ResumeDecision::find(const Config& given_config) {
  const Config config = without_done(RunFolder(given_config.output), given_config);
  const bool named = names_a_path(config);
  std::vector<std::string> given =
      named ? checkpoints_of(config.resume) : std::vector<std::string>{};
  const std::string wanted =
      config.output.empty() && named ? run_folder_of(config.resume) : config.output;
  ResumeDecision start{RunFolder(wanted), false, {}, false, false};
  if (wanted.empty() || config.overwrite || config.resume == "never" || !start.folder.holds_run()) {
    start.folder = RunFolder::choose(wanted, config.overwrite);
    if (config.overwrite && named && same_folder(run_folder_of(config.resume), wanted)) {
      throw InputError(
          fmt::format("--overwrite would remove the checkpoint of --resume {}; leave it out, or "
                      "name another folder with --output",
                      config.resume));
    }
    start.candidates = std::move(given);
    start.is_numbered = wanted.empty();
    return start;
  }
  if (goes_back(start.folder, config)) {
    start.candidates = std::move(given);
    return start;
  }
  start.finished = is_finished(start.folder, config);
  start.candidates = CheckpointFolder(start.folder.checkpoints()).newest_first();
  if (!start.finished && start.candidates.empty()) {
    start.begins_again = can_begin_again(start.folder, config);
    if (!start.begins_again) {
      throw InputError(
          fmt::format("--output {}: the folder holds a run without a checkpoint to resume from; "
                      "name another folder, or add --overwrite",
                      wanted));
    }
    start.candidates = std::move(given);
  }
  return start;
}

ResumedFrom read_candidates(const ResumeDecision& start, const Config& config,
                            const DataIdentity& data) {
  ResumedFrom from;
  for (const std::string& path : start.candidates) {
    try {
      from.checkpoint = load_checkpoint(path);
      from.path = path;
      break;
    } catch (const NewerVersionError&) {
      throw;  // going on from an older one would lose what it holds
    } catch (const InputError& error) {
      from.damaged.push_back({path, error.what()});
    }
  }
  if (from.path.empty()) {
    std::string text = "none of the checkpoints can be read";
    for (const DamagedCheckpoint& one : from.damaged) {
      text += "\n  " + one.reason;
    }
    throw InputError(text + "\nput a good one back, or start again with --overwrite");
  }
  const Checkpoint& checkpoint = from.checkpoint;
  const std::uint64_t epochs_done = checkpoint.epochs.size() + (checkpoint.step > 0 ? 1 : 0);
  const bool has_same_data = checkpoint.data_sha256 == data.sha256;
  const auto find_changes = has_same_data ? config_changes : given_changes;
  const auto changes = find_changes(checkpoint.configuration, config, epochs_done);
  if (!changes.empty()) {
    refuse_changes("the checkpoint " + from.path, changes);
  }
  if (!has_same_data) {
    throw InputError(fmt::format("the training data of {} are not those of the checkpoint {}{}{}",
                                 config.data, from.path, data_difference(from.path, data),
                                 how_to_proceed));
  }
  return from;
}

std::string environment_warning(const std::string& path, const Checkpoint& checkpoint,
                                const Environment& now) {
  std::string text;
  for (const std::string& line : Environment::parse(checkpoint.environment).differences(now)) {
    text += "\n  " + line;
  }
  return text.empty() ? text
                      : "the checkpoint " + path +
                            " was written in another environment. From here on the parameters may "
                            "differ in their last bits from a run that stayed there (there against "
                            "here):" +
                            text;
}

void record_start(const RunFolder& folder, const Config& config, const Environment& environment,
                  const DataIdentity& data) {
  nlohmann::ordered_json record = {{"program", program_name},
                                   {"environment", environment.to_json()},
                                   {"configuration", to_json(config)},
                                   {"data", to_json(data)}};
  if (!data.schema.empty()) {
    record["table"] = to_json(data.schema);
  }
  write_file_atomically(
      folder.started(),
      record.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

void remove_record(const RunFolder& folder) {
  std::error_code error;
  fs::remove(folder.started(), error);
}

void rewind_folder(const RunFolder& folder, const ResumedFrom& from) {
  folder.remove_results();
  const CheckpointFolder checkpoints(folder.checkpoints());
  checkpoints.remove_temporary_files();
  const std::vector<std::string> own = checkpoints.newest_first();
  if (std::find(own.begin(), own.end(), from.path) != own.end()) {
    std::error_code error;
    for (const std::string& path : own) {
      if (path == from.path) {
        break;
      }
      // Newer checkpoints that cannot be read are kept, so that the damage can be examined.
      const bool is_damaged =
          std::any_of(from.damaged.begin(), from.damaged.end(),
                      [&](const DamagedCheckpoint& one) { return one.path == path; });
      if (is_damaged) {
        fs::rename(path, path + ".damaged", error);
      }
    }
    checkpoints.remove_after(from.checkpoint.updates);
  }
  MetricsLog(folder.metrics()).write(from.checkpoint.epochs);
  cut_step_log(folder.steps(), from.checkpoint.updates);
  cut_event_files(folder.tensorboard(), from.checkpoint.updates);
}

}  // namespace dnn
