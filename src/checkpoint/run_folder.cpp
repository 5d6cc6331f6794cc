#include "dnn/checkpoint/run_folder.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <utility>
#include <vector>

#include "dnn/checkpoint/checkpoint_folder.hpp"
#include "dnn/core/atomic_file.hpp"
#include "dnn/core/error.hpp"
#include "dnn/core/output_file.hpp"

namespace dnn {

namespace fs = std::filesystem;

RunFolder::RunFolder(std::string path) : path_(std::move(path)) {}

std::vector<std::string> RunFolder::files() const {
  return {best_model(), last_model(), metrics(), summary(), confusion(), evaluation(), report()};
}

bool RunFolder::holds_run() const {
  std::error_code error;
  for (const std::string& name : files()) {
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
      throw InputError(fmt::format(
          "--output {}: the folder holds a run already; name another one, or add --overwrite",
          wanted));
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

bool RunFolder::create() const {
  std::error_code error;
  const bool is_new = fs::create_directories(path_, error);
  std::error_code ignored;
  if (error && fs::is_symlink(path_, ignored) && !fs::exists(path_, ignored) && !ignored) {
    throw InputError(fmt::format(
        "the output folder {} is a symbolic link to {}, which does not exist; make that folder, or "
        "remove the link",
        path_, fs::read_symlink(path_, ignored).string()));
  }
  if (error) {
    throw FileError("create the output folder", path_, error.value());
  }
  return is_new;
}

void RunFolder::prepare(std::size_t bytes) const {
  const bool is_new = create();
  require_usable(bytes, is_new);
}

RunFolder RunFolder::prepare_numbered(std::size_t bytes) {
  while (true) {
    RunFolder folder = choose("", false);
    if (folder.create()) {
      folder.require_usable(bytes, true);
      return folder;
    }
  }
}

void RunFolder::require_usable(std::size_t bytes, bool is_new) const {
  try {
    require_writable();
    require_space(bytes);
  } catch (...) {
    if (is_new) {
      std::error_code error;
      fs::remove(path_, error);
    }
    throw;
  }
}

void RunFolder::require_writable() const {
  if (::access(path_.c_str(), W_OK | X_OK) != 0) {
    throw FileError("write into the output folder", path_, errno);
  }
  const std::string probe = path_ + "/.probe";
  write_file_atomically(probe, std::string("x"));
  std::error_code error;
  fs::remove(probe, error);
}

fs::file_time_type RunFolder::file_time() const {
  const std::string probe = path_ + "/.probe";
  std::error_code error;
  try {
    write_file_atomically(probe, std::string("x"));
    const auto written = fs::last_write_time(probe, error);
    const bool known = !error;
    fs::remove(probe, error);
    return known ? written : fs::file_time_type::clock::now();
  } catch (const FileError&) {
    return fs::file_time_type::clock::now();
  }
}

std::vector<std::string> RunFolder::weaknesses() const {
  std::vector<std::string> found;
  const std::string probe = path_ + "/.probe";
  ::unlink(probe.c_str());
  try {
    OutputFile file(probe, O_CREAT | O_EXCL, probe);
    if (!file.flush()) {
      found.push_back(fmt::format(
          "the file system of {} cannot flush files to the disk (fsync). Checkpoints there survive "
          "the end of the job, but perhaps not a power cut; use another file system with --output",
          path_));
    }
    file.close();
  } catch (const FileError&) {
    // prepare() has found that it can be written, and later writes tell what has changed.
  }
  ::unlink(probe.c_str());
  struct stat status {};
  if (::stat(path_.c_str(), &status) == 0 && (status.st_mode & S_IWOTH) != 0) {
    found.push_back(fmt::format(
        "all users may write into {}, and so replace or remove this run's files; chmod o-w {}",
        path_, path_));
  }
  return found;
}

void RunFolder::require_space(std::size_t bytes) const {
  std::error_code error;
  std::uintmax_t available = fs::space(path_, error).available;
  if (error) {
    return;  // no file system has to tell
  }
  std::vector<std::string> replaced = CheckpointFolder(checkpoints()).all_files();
  for (const std::string& name : files()) {
    replaced.push_back(name);
  }
  for (const std::string& name : replaced) {
    const std::uintmax_t size = fs::file_size(name, error);
    available += error ? 0 : size;
  }
  if (available < bytes) {
    throw InputError(
        fmt::format("the output folder {} has {} MiB left on its disk; this run needs {} MiB; name "
                    "another with --output",
                    path_, available >> 20, (bytes >> 20) + 1));
  }
}

void RunFolder::clear() const {
  remove_results();
  CheckpointFolder(checkpoints()).clear();
  std::error_code error;
  for (const std::string& name :
       {nonfinite(), started(), log(), steps(), trace(), folds(), out_of_fold()}) {
    fs::remove(name, error);
  }
}

void RunFolder::remove_results() const {
  std::error_code error;
  std::vector<std::string> left_over = {".probe",           "run.json.tmp.",
                                        "steps.jsonl.tmp.", "trace.json.tmp.",
                                        "folds.json.tmp.",  "out-of-fold.csv.tmp"};
  for (const std::string& name : files()) {
    fs::remove(name, error);
    left_over.push_back(fs::path(name).filename().string() + ".tmp.");
  }
  for (fs::directory_iterator entry(path_, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    const auto begins = [&name](const std::string& beginning) {
      return name.starts_with(beginning);
    };
    if (name.starts_with(".stalled-") || std::any_of(left_over.begin(), left_over.end(), begins)) {
      std::error_code ignored;
      fs::remove(entry->path(), ignored);
    }
  }
}

}  // namespace dnn
