#include "dnn/train/checkpoint_folder.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <utility>

#include "dnn/core/error.hpp"

namespace dnn {

namespace fs = std::filesystem;

namespace {

constexpr const char* ending = ".ckpt";
constexpr const char* damaged_ending = ".ckpt.damaged";

/// The names in a folder that begin as a checkpoint's does; none if there is no such folder.
std::vector<std::string> names_in(const std::string& path) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(path, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.starts_with("step-")) {
      names.push_back(name);
    }
  }
  return names;
}

void remove_file(const std::string& path) {
  std::error_code error;
  fs::remove(path, error);  // what cannot be removed does no harm
}

}  // namespace

CheckpointFolder::CheckpointFolder(std::string path) : path_(std::move(path)) {}

std::string CheckpointFolder::file_for(std::uint64_t updates) const {
  char name[48];
  std::snprintf(name, sizeof(name), "/step-%012llu%s", static_cast<unsigned long long>(updates),
                ending);
  return path_ + name;
}

std::vector<std::string> CheckpointFolder::newest_first() const {
  std::vector<std::string> paths;
  for (const std::string& name : names_in(path_)) {
    if (name.ends_with(ending)) {
      paths.push_back(path_ + "/" + name);
    }
  }
  // Longer numbers, beyond the twelve digits, are larger ones.
  std::sort(paths.begin(), paths.end(), [](const std::string& a, const std::string& b) {
    return std::pair(a.size(), a) > std::pair(b.size(), b);
  });
  return paths;
}

void CheckpointFolder::create() const {
  std::error_code error;
  fs::create_directories(path_, error);
  if (error) {
    throw FileError("create the folder of checkpoints", path_, error.value());
  }
}

void CheckpointFolder::keep_newest(std::size_t count) const {
  const std::vector<std::string> paths = newest_first();
  for (std::size_t i = count; i < paths.size(); ++i) {
    remove_file(paths[i]);
  }
}

void CheckpointFolder::remove_after(std::uint64_t updates) const {
  const std::string last = file_for(updates);
  for (const std::string& path : newest_first()) {
    if (std::pair(path.size(), path) > std::pair(last.size(), last)) {
      remove_file(path);
    }
  }
}

void CheckpointFolder::remove_temporary_files() const {
  for (const std::string& name : names_in(path_)) {
    if (name.find(".tmp.") != std::string::npos) {
      remove_file(path_ + "/" + name);
    }
  }
}

void CheckpointFolder::clear() const {
  remove_temporary_files();
  keep_newest(0);
  for (const std::string& name : names_in(path_)) {
    if (name.ends_with(damaged_ending)) {
      remove_file(path_ + "/" + name);
    }
  }
  remove_file(path_);  // stays where something else lies in it
}

}  // namespace dnn
