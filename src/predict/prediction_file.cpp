#include "dnn/predict/prediction_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <filesystem>
#include <span>
#include <system_error>

#include "dnn/core/error.hpp"
#include "dnn/core/nameless_file.hpp"
#include "dnn/data/csv_text.hpp"

namespace dnn {

PredictionFormat prediction_format(const std::string& path) {
  return path.ends_with(".npy") ? PredictionFormat::npy : PredictionFormat::csv;
}

void check_prediction_name(const std::string& path) {
  constexpr std::array others = {".json", ".jsonl", ".parquet", ".feather", ".arrow", ".h5",
                                 ".hdf5", ".hdf",   ".xlsx",    ".xls",     ".ods",   ".npz",
                                 ".pkl",  ".mat",   ".html",    ".xml",     ".gz",    ".xz",
                                 ".zst",  ".bz2",   ".lz4",     ".zip",     ".dnn"};
  std::string ending = std::filesystem::path(path).extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (std::find(others.begin(), others.end(), ending) != others.end()) {
    throw InputError(
        fmt::format("--output {}: predictions are written as CSV, or as an NPY file where the name "
                    "ends in .npy; give a name that ends in one of the two",
                    path));
  }
}

namespace {

/// Removes what killed programs have left of files that were to have this name.
void remove_left_files(const std::string& path) {
  constexpr std::size_t digits = 16;
  const std::string beginning = std::filesystem::path(path).filename().string() + ".tmp.";
  const std::filesystem::path folder = std::filesystem::absolute(path).parent_path();
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.starts_with(beginning) && name.size() == beginning.size() + digits) {
      remove_if_left(entry->path().string());
    }
  }
}

}  // namespace

PredictionFile::PredictionFile(const std::string& path, Existing existing, const Dataset& data,
                               const std::string& answers, std::size_t element_bytes)
    : path_(path),
      existing_(existing),
      format_(prediction_format(path)),
      element_bytes_(element_bytes),
      classes_(data.class_names.size()) {
  remove_left_files(path_);
  open();
  if (format_ == PredictionFormat::npy) {
    write(npy_header(0));
    return;
  }
  std::string header = "sample";
  for (const std::string& name : data.kept_names) {
    header += ',' + spreadsheet_field(name);
  }
  write(header + answers + '\n');
}

/// Another program may find the file before it is locked, and take it for one that is left.
void PredictionFile::open() {
  constexpr int most_tries = 100;
  for (int tries = 0; tries < most_tries; ++tries) {
    file_.reset();
    temporary_ = TemporaryName::beside(path_);
    file_.emplace(temporary_.path(), O_CREAT | O_EXCL, path_);
    lock_ = Descriptor(open_regular_file(temporary_.path(), O_RDONLY));
    if (lock_.is_open()) {
      (void)::flock(lock_.value(), LOCK_SH | LOCK_NB);  // without locks, nobody removes it
      if (is_file_at(temporary_.path(), lock_.value())) {
        return;
      }
    }
  }
}

/// NumPy's format 1.0: a literal of Python's in 128 bytes, whatever the number of samples.
std::string PredictionFile::npy_header(std::size_t samples) const {
  constexpr std::size_t size = 128;
  std::string header = {'\x93', 'N', 'U', 'M', 'P', 'Y', 1, 0, size - 10, 0};
  header += fmt::format("{{'descr': '<f{}', 'fortran_order': False, 'shape': ({}, {}), }}",
                        element_bytes_, samples, classes_);
  header.resize(size - 1, ' ');
  return header + '\n';
}

void PredictionFile::write(const std::string& samples) {
  file_->write(std::as_bytes(std::span(samples)));
}

void PredictionFile::commit(std::size_t samples) {
  if (format_ == PredictionFormat::npy) {
    file_->rewind();
    write(npy_header(samples));
  }
  file_->close();
  const bool is_named = existing_ == Existing::replace ? temporary_.rename_to(path_)
                                                       : temporary_.rename_to_new(path_);
  if (!is_named && errno == EEXIST) {
    throw InputError(
        fmt::format("--output {}: another program has written this file meanwhile; it is not "
                    "replaced, and the predictions are in {}",
                    path_, temporary_.keep()));
  }
  if (!is_named) {
    throw FileError("write the predictions", path_, errno);
  }
}

}  // namespace dnn
