#include "dnn/watch/run_list.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "dnn/checkpoint/run_folder.hpp"
#include "dnn/core/error.hpp"

namespace dnn {

namespace fs = std::filesystem;

namespace {

bool is_run(const std::string& path) {
  const RunFolder folder(path);
  std::error_code error;
  return fs::is_regular_file(folder.started(), error) ||
         fs::is_regular_file(folder.metrics(), error) ||
         fs::is_regular_file(folder.summary(), error);
}

}  // namespace

RunList::RunList(const std::string& folder) {
  std::error_code error;
  folder_ = fs::canonical(folder, error).string();
  if (error || !fs::is_directory(folder_, error)) {
    throw InputError(folder +
                     ": there is no such folder; name the folder of a run, or one of runs");
  }
}

std::vector<std::string> RunList::names() const {
  if (is_run(folder_)) {
    return {"."};
  }
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(folder_, error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code ignored;
    const fs::path real = fs::canonical(entry->path(), ignored);
    if (!ignored && real.parent_path() == folder_ && is_run(real.string())) {
      names.push_back(entry->path().filename().string());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string RunList::folder_of(const std::string& name) const {
  const std::vector<std::string> all = names();
  if (std::find(all.begin(), all.end(), name) == all.end()) {
    throw InputError("no run " + in_quotes(name) + " is in this folder");
  }
  return name == "." ? folder_ : folder_ + "/" + name;
}

std::string version_of_run(const std::string& path) {
  const RunFolder folder(path);
  std::string version;
  for (const std::string& file : {folder.summary(), folder.started(), folder.metrics(),
                                  folder.confusion(), folder.evaluation(), folder.steps(),
                                  folder.nonfinite(), folder.checkpoints(), folder.folds()}) {
    struct stat status {};
    if (::stat(file.c_str(), &status) == 0) {
      version += std::to_string(status.st_ino) + "." + std::to_string(status.st_size) + "." +
                 std::to_string(status.st_mtim.tv_sec) + "." +
                 std::to_string(status.st_mtim.tv_nsec);
    }
    version += '-';
  }
  return version;
}

}  // namespace dnn
