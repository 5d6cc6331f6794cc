#include "dnn/train/run_start.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "dnn/core/error.hpp"
#include "dnn/train/atomic_file.hpp"
#include "dnn/train/checkpoint_folder.hpp"
#include "dnn/train/config_changes.hpp"

namespace dnn {

namespace fs = std::filesystem;

namespace {

constexpr const char* how_to_go_on =
    "; undo the change, name another folder with --output, or start anew with --overwrite";

[[noreturn]] void refuse_changes(const std::string& what, const std::vector<std::string>& changes) {
  std::string text = what + " was made with other settings, and cannot go on with these:";
  for (const std::string& change : changes) {
    text += "\n  " + change;
  }
  throw InputError(text + "\n" + (how_to_go_on + 2));
}

bool names_a_path(const Config& config) {
  return config.resume != "auto" && config.resume != "never";
}

/// The checkpoints that --resume PATH means.
std::vector<std::string> checkpoints_of(const std::string& path) {
  if (!fs::is_directory(path)) {
    if (!fs::exists(path)) {
      throw InputError("--resume " + path + ": no such run folder or checkpoint");
    }
    return {path};
  }
  for (const std::string& folder : {RunFolder(path).checkpoints(), path}) {
    auto found = CheckpointFolder(folder).newest_first();
    if (!found.empty()) {
      return found;
    }
  }
  throw InputError("--resume " + path + ": the folder holds no checkpoint");
}

/// The run folder that a path for --resume is of.
std::string run_folder_of(const std::string& path) {
  fs::path folder = fs::path(path).lexically_normal();
  if (!folder.has_filename()) {
    folder = folder.parent_path();
  }
  if (!fs::is_directory(folder)) {
    folder = folder.has_parent_path() ? folder.parent_path() : ".";
  }
  if (fs::absolute(folder).filename() == "checkpoints") {
    folder = folder.has_parent_path() ? folder.parent_path() : "..";
  }
  return folder.string();
}

bool same_folder(const std::string& a, const std::string& b) {
  std::error_code error;
  return fs::equivalent(a, b, error);
}

/// Whether the run of this folder is finished, as far as `config` goes. Throws InputError where it
/// is the run of another configuration.
bool is_finished(const RunFolder& folder, const Config& config) {
  std::ifstream file(folder.summary());
  if (!file) {
    return false;
  }
  const auto summary = nlohmann::ordered_json::parse(file, nullptr, false);
  if (!summary.is_object() || !summary.contains("configuration") ||
      !summary["configuration"].is_object() || !summary.contains("epochs_run")) {
    return false;
  }
  const auto done = summary["epochs_run"].get<std::uint64_t>();
  const auto changes = config_changes(summary["configuration"].dump(), config, done);
  if (!changes.empty()) {
    refuse_changes("the run in " + folder.path(), changes);
  }
  return done >= config.epochs || summary.value("stopped_early", false);
}

std::vector<std::string> candidates_of_run(const RunFolder& folder, const Config& config) {
  if (names_a_path(config) && !fs::is_directory(config.resume) &&
      same_folder(run_folder_of(config.resume), folder.path())) {
    return checkpoints_of(config.resume);
  }
  auto found = CheckpointFolder(folder.checkpoints()).newest_first();
  if (found.empty()) {
    throw InputError("--output " + folder.path() +
                     ": the folder holds a run already, and no checkpoint to go on from; name "
                     "another one, or add --overwrite");
  }
  return found;
}

}  // namespace

RunStart RunStart::find(const Config& config) {
  const bool named = names_a_path(config);
  std::vector<std::string> given =
      named ? checkpoints_of(config.resume) : std::vector<std::string>{};
  const std::string wanted =
      config.output.empty() && named ? run_folder_of(config.resume) : config.output;
  RunStart start{RunFolder(wanted), false, {}};
  if (wanted.empty() || config.overwrite || config.resume == "never" || !start.folder.holds_run()) {
    start.folder = RunFolder::choose(wanted, config.overwrite);
    if (config.overwrite && named && same_folder(run_folder_of(config.resume), wanted)) {
      throw InputError("--overwrite would remove the checkpoint of --resume " + config.resume +
                       "; leave it out, or name another folder with --output");
    }
    start.candidates = std::move(given);
    return start;
  }
  start.candidates = candidates_of_run(start.folder, config);
  const bool goes_back = named && start.candidates.front() == config.resume;
  start.finished = !goes_back && is_finished(start.folder, config);
  return start;
}

ResumedFrom read_candidates(const RunStart& start, const Config& config,
                            const std::string& data_sha256) {
  ResumedFrom from;
  for (const std::string& path : start.candidates) {
    try {
      from.checkpoint = load_checkpoint(path);
      from.path = path;
      break;
    } catch (const InputError& error) {
      from.damaged.emplace_back(error.what());
    }
  }
  if (from.path.empty()) {
    std::string text = "none of the checkpoints can be read";
    for (const std::string& damage : from.damaged) {
      text += "\n  " + damage;
    }
    throw InputError(text + "\nput a good one back, or start anew with --overwrite");
  }
  const Checkpoint& checkpoint = from.checkpoint;
  const std::uint64_t epochs_done = checkpoint.epochs.size() + (checkpoint.step > 0 ? 1 : 0);
  const auto changes = config_changes(checkpoint.configuration, config, epochs_done);
  if (!changes.empty()) {
    refuse_changes("the checkpoint " + from.path, changes);
  }
  if (checkpoint.data_sha256 != data_sha256) {
    throw InputError("the training data of " + config.data + " are not those that the checkpoint " +
                     from.path + " was trained on" + how_to_go_on);
  }
  return from;
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
      // Newer ones that cannot be read are kept for whoever wants to know why.
      const bool is_damaged =
          std::any_of(from.damaged.begin(), from.damaged.end(),
                      [&](const std::string& text) { return text.find(path) != text.npos; });
      if (is_damaged) {
        fs::rename(path, path + ".damaged", error);
      }
    }
    checkpoints.remove_after(from.checkpoint.updates);
  }
  std::string lines;
  for (const EpochMetrics& epoch : from.checkpoint.epochs) {
    lines += epoch.to_json().dump() + '\n';
  }
  write_file_atomically(folder.metrics(), lines);
}

}  // namespace dnn
