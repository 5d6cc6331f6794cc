#include "dnn/checkpoint/checkpoint_folder.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <set>
#include <utility>

#include "dnn/checkpoint/checkpoint.hpp"
#include "dnn/core/error.hpp"

namespace dnn {

namespace fs = std::filesystem;

namespace {

constexpr const char* ending = ".ckpt";
constexpr const char* damaged_ending = ".ckpt.damaged";
constexpr const char* part_mark = ".part-";

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

/// The name of a checkpoint's file without its ending: what the names of its parts begin with.
std::string stem_of(const std::string& path) {
  return fs::path(path).stem().string();
}

bool is_part_of(const std::string& name, const std::string& stem) {
  return name.starts_with(stem + ".") && name.find(part_mark) != std::string::npos;
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

std::string CheckpointFolder::part_for(std::uint64_t updates, const std::string& begun,
                                       int rank) const {
  char number[16];
  std::snprintf(number, sizeof(number), "%06d", rank);
  return stem_of(file_for(updates)) + "." + begun + part_mark + number;
}

std::vector<std::string> CheckpointFolder::all_files() const {
  std::vector<std::string> paths;
  for (const std::string& name : names_in(path_)) {
    paths.push_back(path_ + "/" + name);
  }
  return paths;
}

void CheckpointFolder::remove(const std::string& file) const {
  remove_file(path_ + "/" + file);
}

void CheckpointFolder::remove_checkpoint(const std::string& path) const {
  remove_file(path);  // first: a checkpoint whose parts are gone would be a damaged one
  for (const std::string& name : names_in(path_)) {
    if (is_part_of(name, stem_of(path))) {
      remove(name);
    }
  }
}

void CheckpointFolder::keep_newest(std::size_t count) const {
  const std::vector<std::string> paths = newest_first();
  for (std::size_t i = count; i < paths.size(); ++i) {
    remove_checkpoint(paths[i]);
  }
}

void CheckpointFolder::remove_after(std::uint64_t updates) const {
  const std::string last = file_for(updates);
  for (const std::string& path : newest_first()) {
    if (std::pair(path.size(), path) > std::pair(last.size(), last)) {
      remove_checkpoint(path);
    }
  }
}

void CheckpointFolder::remove_parts(std::uint64_t updates,
                                    const std::vector<std::string>& kept) const {
  for (const std::string& name : names_in(path_)) {
    if (is_part_of(name, stem_of(file_for(updates))) &&
        std::find(kept.begin(), kept.end(), name) == kept.end()) {
      remove(name);
    }
  }
}

void CheckpointFolder::remove_temporary_files() const {
  std::set<std::string> stems;  // of checkpoints that have parts
  for (const std::string& name : names_in(path_)) {
    if (name.find(".tmp.") != std::string::npos) {
      remove(name);
    } else if (name.find(part_mark) != std::string::npos) {
      stems.insert(name.substr(0, name.find('.')));
    }
  }
  std::error_code error;
  for (const std::string& stem : stems) {
    const std::string path = path_ + "/" + stem;
    if (fs::exists(path + damaged_ending, error)) {
      continue;  // kept for whoever wants to know why
    }
    std::vector<std::string> named;
    try {
      named = fs::exists(path + ending, error) ? part_files(path + ending) : named;
    } catch (const InputError&) {
      continue;
    }
    for (const std::string& name : names_in(path_)) {
      if (is_part_of(name, stem) && std::find(named.begin(), named.end(), name) == named.end()) {
        remove(name);
      }
    }
  }
}

void CheckpointFolder::clear() const {
  keep_newest(0);
  for (const std::string& name : names_in(path_)) {
    const bool is_one = name.ends_with(damaged_ending) || name.find(".tmp.") != std::string::npos ||
                        name.find(part_mark) != std::string::npos;
    if (is_one) {
      remove(name);
    }
  }
  remove_file(path_);  // stays where something else lies in it
}

}  // namespace dnn
