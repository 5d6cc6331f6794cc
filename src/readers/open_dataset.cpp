#include "dnn/readers/open_dataset.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "dnn/core/error.hpp"
#include "dnn/readers/idx_reader.hpp"
#include "dnn/readers/libsvm_detection.hpp"
#include "dnn/readers/libsvm_reader.hpp"
#include "dnn/readers/npy_reader.hpp"
#include "dnn/readers/text_encoding.hpp"
#include "dnn/tables/read_table.hpp"

// Made by the build from digits.csv.gz.
extern const unsigned char digits_csv_gz[];
extern const std::size_t digits_csv_gz_size;

namespace dnn {

namespace {

namespace fs = std::filesystem;

bool contains(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

/// The file of `folder` whose name has the part's word in it and ends as `ending` or ending.gz;
/// empty where there is none. A plain file goes before a compressed one.
std::string find_idx_file(const fs::path& folder, Part part, const std::string& ending) {
  std::vector<std::string> found;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    const bool is_test = contains(name, "t10k") || contains(name, "test");
    const bool is_train = contains(name, "train");
    if ((name.ends_with(ending) || name.ends_with(ending + ".gz")) &&
        (part == Part::test ? is_test : is_train)) {
      found.push_back(entry.path().string());
    }
  }
  std::sort(found.begin(), found.end());
  if (found.size() == 2 && found[1] == found[0] + ".gz") {
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
bool exists(const std::string& path) {
  std::error_code error;
  return fs::exists(path, error);
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
  const std::string features = folder + "/X_" + word + ".npy";
  const std::string labels = folder + "/y_" + word + ".npy";
  if (exists(features)) {
    files.npy_features = features;
    files.npy_labels = exists(labels) ? labels : std::string();
  }
  return files;
}

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
      fmt::format("{}: the folder holds neither *{}*-images-idx3-ubyte[.gz] nor X_{}.npy", folder,
                  word, part == Part::test ? "test" : "train"));
}

Dataset open_file(const std::string& path, const ReadOptions& options) {
  Bytes contents = read_contents(path);
  if (looks_like_npy(contents.view)) {
    return read_npy(path, {}, options);
  }
  if (path.ends_with(".npy") || path.ends_with(".npy.gz")) {
    throw InputError(path + ": not an NPY file (no NUMPY magic)");
  }
  const DecodedText decoded = decode_text(contents, path);
  contents = decoded.text;  // bytes in another encoding are released
  Dataset data = looks_like_libsvm(contents.view) ? read_libsvm(contents.view, path, options)
                                                  : read_table(contents.view, path, options);
  if (!decoded.note.empty()) {
    data.notes.insert(data.notes.begin(), decoded.note);
  }
  return data;
}

}  // namespace

Dataset open_dataset(const std::string& source, Part part, const ReadOptions& options) {
  if (source == builtin_digits_name) {
    const auto csv = inflate_gzip(std::as_bytes(std::span(digits_csv_gz, digits_csv_gz_size)),
                                  builtin_digits_name);
    return read_table(csv, builtin_digits_name, options);
  }
  if (source.empty()) {
    throw InputError("the path of the data is empty; name a file or a folder");
  }
  if (source.starts_with("builtin:")) {
    throw InputError(
        fmt::format("{}: the only built-in data set is {}", source, builtin_digits_name));
  }
  const std::size_t comma = source.find(',');
  if (comma != std::string::npos && !exists(source)) {
    return read_npy(source.substr(0, comma), source.substr(comma + 1), options);
  }
  std::error_code error;
  return fs::is_directory(source, error) ? open_folder(source, part, options)
                                         : open_file(source, options);
}

bool has_test_part(const std::string& source) {
  std::error_code error;
  if (!fs::is_directory(source, error)) {
    return false;
  }
  const FolderFiles files = find_files(source, Part::test);
  return (!files.images.empty() && !files.labels.empty()) ||
         (!files.npy_features.empty() && !files.npy_labels.empty());
}

}  // namespace dnn
