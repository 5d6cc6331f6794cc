#include "dnn/train/run_folder.hpp"

#include <cstdio>
#include <filesystem>
#include <utility>
#include <vector>

#include "dnn/core/error.hpp"
#include "dnn/train/atomic_file.hpp"
#include "dnn/train/checkpoint_folder.hpp"

namespace dnn {

namespace fs = std::filesystem;

RunFolder::RunFolder(std::string path) : path_(std::move(path)) {}

bool RunFolder::holds_run() const {
  std::error_code error;
  for (const std::string& name : {best_model(), last_model(), metrics(), summary(), confusion()}) {
    if (fs::exists(name, error)) {
      return true;
    }
  }
  return !CheckpointFolder(checkpoints()).newest_first().empty();
}

RunFolder RunFolder::choose(const std::string& wanted, bool overwrite) {
  if (!wanted.empty()) {
    RunFolder folder(wanted);
    if (folder.holds_run() && !overwrite) {
      throw InputError("--output " + wanted +
                       ": the folder holds a run already; name another one, or add --overwrite");
    }
    return folder;
  }
  for (int number = 1;; ++number) {
    char name[32];
    std::snprintf(name, sizeof(name), "runs/%03d", number);
    std::error_code error;
    if (!fs::exists(name, error)) {
      return RunFolder(name);
    }
  }
}

void RunFolder::prepare(std::size_t bytes) const {
  create();
  clear();
  require_space(bytes);
}

void RunFolder::create() const {
  std::error_code error;
  fs::create_directories(path_, error);
  if (error) {
    throw FileError("create the output folder", path_, error.value());
  }
  const std::string probe = path_ + "/.probe";
  write_file_atomically(probe, std::string("x"));
  fs::remove(probe, error);
}

void RunFolder::clear() const {
  remove_results();
  CheckpointFolder(checkpoints()).clear();
}

void RunFolder::remove_results() const {
  std::error_code error;
  std::vector<std::string> left_over;
  for (const std::string& name : {best_model(), last_model(), metrics(), summary(), confusion()}) {
    fs::remove(name, error);
    left_over.push_back(fs::path(name).filename().string() + ".tmp.");
  }
  // What a write that was killed has left.
  for (fs::directory_iterator entry(path_, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    for (const std::string& beginning : left_over) {
      if (name.starts_with(beginning)) {
        std::error_code ignored;
        fs::remove(entry->path(), ignored);
        break;
      }
    }
  }
}

void RunFolder::require_space(std::size_t bytes) const {
  std::error_code error;
  const fs::space_info space = fs::space(path_, error);
  if (!error && space.available < bytes) {
    throw InputError("the output folder " + path_ + " has " +
                     std::to_string(space.available >> 20) +
                     " MiB left on its disk; this run needs " + std::to_string((bytes >> 20) + 1) +
                     " MiB; name another with --output");
  }
}

}  // namespace dnn
