#include "dnn/readers/data_folder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "dnn/core/error.hpp"
#include "dnn/readers/idx_reader.hpp"
#include "dnn/readers/npy_reader.hpp"
#include "dnn/readers/packed_endings.hpp"

namespace dnn {

namespace {

namespace fs = std::filesystem;

bool contains(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

bool has_ending(const std::string& name, const std::string& ending) {
  return name.ends_with(ending) ||
         std::any_of(packed_endings.begin(), packed_endings.end(),
                     [&](const char* packed) { return name.ends_with(ending + packed); });
}

/// The file of `folder` whose name has the part's word in it and ends as `ending`, compressed or
/// not; empty where there is none. A plain file goes before a compressed one.
std::string find_idx_file(const fs::path& folder, Part part, const std::string& ending) {
  std::vector<std::string> found;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    const bool is_test = contains(name, "t10k") || contains(name, "test");
    const bool is_train = contains(name, "train");
    if (has_ending(name, ending) && (part == Part::test ? is_test : is_train)) {
      found.push_back(entry.path().string());
    }
  }
  std::sort(found.begin(), found.end());
  if (found.size() == 2 && found[1].starts_with(found[0] + ".")) {
    found.pop_back();
  }
  if (found.size() > 1) {
    throw InputError(
        fmt::format("{}: several files match *{}: {} and {}; put one data set into a folder",
                    folder.string(), ending, found[0], found[1]));
  }
  return found.empty() ? std::string() : found[0];
}

/// Unlike the library's, no error where that cannot be told: reading the path says why.
bool file_exists(const std::string& path) {
  std::error_code error;
  return fs::exists(path, error);
}

/// `path`, or the compressed file of that name; empty where there is neither.
std::string find_npy_file(const std::string& path) {
  if (file_exists(path)) {
    return path;
  }
  for (const char* packed : packed_endings) {
    if (file_exists(path + packed)) {
      return path + packed;
    }
  }
  return {};
}

struct FolderFiles {
  std::string images, labels;  // IDX
  std::string npy_features, npy_labels;
};

FolderFiles find_files(const std::string& folder, Part part) {
  FolderFiles files;
  try {
    files.images = find_idx_file(folder, part, "-images-idx3-ubyte");
    files.labels = find_idx_file(folder, part, "-labels-idx1-ubyte");
  } catch (const fs::filesystem_error& error) {
    throw FileError("read the folder", folder, error.code().value());
  }
  const std::string word = part == Part::test ? "test" : "train";
  files.npy_features = find_npy_file(folder + "/X_" + word + ".npy");
  files.npy_labels = find_npy_file(folder + "/y_" + word + ".npy");
  return files;
}

}  // namespace

Dataset open_folder(const std::string& folder, Part part, const ReadOptions& options) {
  const FolderFiles files = find_files(folder, part);
  const std::string word = part == Part::test ? "t10k (or test)" : "train";
  const bool labels_needed = !options.features.has_value();
  if (!files.images.empty()) {
    if (files.labels.empty() && labels_needed) {
      throw InputError(
          fmt::format("{}: there are images, but no {}-labels-idx1-ubyte[.gz]", folder, word));
    }
    return read_idx(files.images, files.labels);
  }
  if (!files.npy_features.empty()) {
    if (files.npy_labels.empty() && labels_needed) {
      throw InputError(
          fmt::format("{}: {} has no file of labels beside it", folder, files.npy_features));
    }
    return read_npy(files.npy_features, files.npy_labels, options);
  }
  throw InputError(
      fmt::format("{}: the folder holds neither tables (*.csv and so on) nor "
                  "*{}*-images-idx3-ubyte[.gz] nor X_{}.npy",
                  folder, word, part == Part::test ? "test" : "train"));
}

bool folder_has_arrays(const std::string& folder) {
  const auto holds = [&folder](Part part) {
    const FolderFiles files = find_files(folder, part);
    return !files.images.empty() || !files.labels.empty() || !files.npy_features.empty();
  };
  return holds(Part::train) || holds(Part::test);
}

bool folder_has_test_part(const std::string& folder, bool labelled) {
  const FolderFiles files = find_files(folder, Part::test);
  const std::string& labels = files.images.empty() ? files.npy_labels : files.labels;
  return (!files.images.empty() || !files.npy_features.empty()) && (!labels.empty() || !labelled);
}

}  // namespace dnn
