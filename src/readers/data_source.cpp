#include "dnn/readers/data_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "dnn/core/error.hpp"
#include "dnn/files/archive.hpp"
#include "dnn/files/contents.hpp"
#include "dnn/files/stream.hpp"
#include "dnn/files/text_encoding.hpp"
#include "dnn/readers/data_folder.hpp"
#include "dnn/readers/hdf5_file.hpp"
#include "dnn/readers/npy_reader.hpp"
#include "dnn/readers/open_dataset.hpp"
#include "dnn/readers/table_files.hpp"
#include "dnn/tables/read_table.hpp"

namespace dnn {

namespace {

namespace fs = std::filesystem;

/// Unlike the library's, no error where that cannot be told: reading the path says why.
bool exists(const std::string& path) {
  std::error_code error;
  return fs::exists(path, error);
}

bool is_folder(const std::string& path) {
  std::error_code error;
  return fs::is_directory(path, error);
}

/// Whether a path is that of HDF5 files, whether or not they are there.
bool means_hdf5(const std::string& path) {
  return is_named_like_hdf5(path) ||
         (is_folder(path) &&
          !(hdf5_files_in(path, Part::train).empty() && hdf5_files_in(path, Part::test).empty()));
}

/// Where the path of a file or pipe ends and a selection begins; npos: there is none.
std::size_t selection_colon(const std::string& source) {
  for (std::size_t at = source.find(':'); at != std::string::npos; at = source.find(':', at + 1)) {
    const std::string path = source.substr(0, at);
    if (is_stream(path) || (exists(path) && !is_folder(path)) || means_hdf5(path)) {
      return at;
    }
  }
  return std::string::npos;
}

std::vector<Hdf5Input> inputs_of(const std::vector<std::string>& paths) {
  std::vector<Hdf5Input> inputs;
  inputs.reserve(paths.size());
  for (const std::string& path : paths) {
    inputs.push_back({path, {}});
  }
  return inputs;
}

/// The data, and of data that have one, the test part.
Dataset read_hdf5(const Hdf5Data& data, Part part, const ReadOptions& options) {
  return data.read(data.has_test_part(false) ? part : Part::train, options);
}

}  // namespace

DataSource::DataSource(const std::string& source) : path_(source) {
  if (source.empty()) {
    throw InputError("the path of the data is empty; name a file or a folder");
  }
  if (source.starts_with("builtin:")) {
    if (source != builtin_digits_name) {
      throw InputError(
          fmt::format("{}: the only built-in data set is {}", source, builtin_digits_name));
    }
    kind_ = Kind::builtin;
    return;
  }
  find_kind(source);
  stamp_files();
  if (kind_ == Kind::file) {
    open_file();
  } else if (kind_ == Kind::hdf5) {
    hdf5_.emplace(inputs_of(files_), selection_);
    if (!test_files_.empty()) {
      hdf5_test_.emplace(inputs_of(test_files_), selection_);
    }
  }
}

void DataSource::find_kind(const std::string& source) {
  if (!exists(source) && !is_stream(source)) {
    if (const std::size_t colon = selection_colon(source); colon != std::string::npos) {
      path_ = source.substr(0, colon);
      selection_ = source.substr(colon + 1);
    }
  }
  if (is_folder(path_)) {
    find_kind_of_folder();
  } else if (exists(path_) || is_stream(path_)) {
    return;
  } else if (const auto files = find_table_files(path_)) {
    open_tables(*files, {});
    if (means_hdf5(files_.front()) || looks_like_hdf5(map_file(files_.front()).view)) {
      kind_ = Kind::hdf5;
    }
  } else if (const std::size_t comma = path_.find(',');
             comma != std::string::npos && selection_.empty()) {
    kind_ = Kind::pair;
    labels_ = path_.substr(comma + 1);
    path_.resize(comma);
  }
}

void DataSource::find_kind_of_folder() {
  const bool has_arrays = selection_.empty() && folder_has_arrays(path_);  // those have no names
  const bool has_hdf5 = means_hdf5(path_);
  if (has_arrays && has_hdf5) {
    throw InputError(
        fmt::format("{}: the folder holds NPY or IDX files and HDF5 files, and both may be meant; "
                    "name the HDF5 "
                    "datasets, as in {}:/x,/y, or put one data set into a folder",
                    path_, path_));
  }
  if (has_hdf5) {
    open_tables(hdf5_files_in(path_, Part::train), hdf5_files_in(path_, Part::test));
    kind_ = Kind::hdf5;
    return;
  }
  open_tables(tables_in(path_, Part::train), tables_in(path_, Part::test));
  if (has_arrays || files_.empty()) {
    kind_ = Kind::folder;
  }
}

void DataSource::stamp_files() {
  if (kind_ == Kind::folder) {
    stamps_ = FileStamp::of_folder(path_, {".np", "-ubyte"});
    return;
  }
  stamps_.emplace_back(path_);
  stamps_.emplace_back(labels_);
  for (const auto* paths : {&files_, &test_files_}) {
    for (const std::string& path : *paths) {
      stamps_.emplace_back(path);
    }
  }
}

std::string DataSource::identity_of(const std::string& source) {
  if (source.starts_with("builtin:")) {
    return source;
  }
  if (is_stream(source)) {
    return {};
  }
  DataSource named;
  named.path_ = source;
  named.find_kind(source);
  if (named.kind_ == Kind::pair && !(exists(named.path_) && exists(named.labels_))) {
    return {};
  }
  named.stamp_files();
  std::string text = source;
  for (const FileStamp& stamp : named.stamps_) {
    const FileStamp::Mark& mark = stamp.mark();
    if (mark.is_file) {
      text += fmt::format("\n{} {} {} {}.{:09} {}.{:09}",
                          std::filesystem::absolute(stamp.path()).lexically_normal().string(),
                          mark.number, mark.size, mark.seconds, mark.nanoseconds,
                          mark.change_seconds, mark.change_nanoseconds);
    } else if (!stamp.path().empty() && is_stream(stamp.path())) {
      return {};  // it cannot be read again
    }
  }
  return text;
}

void DataSource::open_tables(std::vector<std::string> files, std::vector<std::string> test_files) {
  kind_ = Kind::tables;
  if (files.empty()) {  // test files alone are the data, and no test set of them
    files_ = std::move(test_files);
  } else {
    files_ = std::move(files);
    test_files_ = std::move(test_files);
  }
}

void DataSource::open_file() {
  const std::string name = name_of(path_);
  contents_ = open_contents(path_);
  std::string selection = selection_;
  if (looks_like_archive(contents_.view)) {
    arrays_.emplace(contents_, name);
    if (arrays_->has_arrays()) {
      contents_ = {};
      return;
    }
    arrays_.reset();
    contents_ = unpack_file(contents_, name, selection);
    selection.clear();
  }
  if (looks_like_hdf5(contents_.view)) {
    hdf5_.emplace(std::vector<Hdf5Input>{{name, std::exchange(contents_, {})}}, selection);
  } else if (is_named_like_hdf5(name)) {
    throw InputError(name + ": not an HDF5 file (no HDF5 signature)");
  } else if (!selection.empty()) {
    throw InputError(fmt::format("{} is not an archive, so {} cannot be chosen from it", name,
                                 in_quotes(selection)));
  }
}

bool DataSource::has_test_part(bool labelled) const {
  if (kind_ == Kind::folder) {
    return folder_has_test_part(path_, labelled);
  }
  if (hdf5_) {
    return hdf5_test_ || hdf5_->has_test_part(labelled);
  }
  if (kind_ == Kind::tables) {
    return !test_files_.empty();
  }
  return arrays_ && selection_.empty() && arrays_->has_test_part(labelled);
}

Dataset DataSource::read(Part part, const ReadOptions& options) {
  Dataset data = read_part(part, options);
  for (const FileStamp& stamp : stamps_) {
    stamp.check();
  }
  return data;
}

/// A piece of a table other than the first.
Dataset DataSource::read_piece(Part part, const ReadOptions& options) {
  const std::vector<std::string> names =
      kind_ == Kind::tables ? files_of(part) : std::vector{name_of(path_)};
  if (texts_.empty()) {
    for (const std::string& name : names) {
      const Bytes contents = kind_ == Kind::tables ? read_contents(name) : contents_;
      texts_.push_back(decode_text(contents, name, options.team).text);
    }
    contents_ = {};
  }
  std::vector<TableText> texts;
  for (std::size_t i = 0; i < names.size(); ++i) {
    texts.push_back({texts_[i].view, names[i], !texts_[i].mapped_path.empty()});
  }
  return read_table_parts(texts, kind_ == Kind::tables ? path_ : names.front(), options);
}

const std::vector<std::string>& DataSource::files_of(Part part) const {
  return part == Part::test && !test_files_.empty() ? test_files_ : files_;
}

Dataset DataSource::read_part(Part part, const ReadOptions& options) {
  if (options.from.line > 0) {
    return read_piece(part, options);
  }
  if (kind_ == Kind::builtin) {
    return open_builtin_digits(options);
  }
  if (kind_ == Kind::folder) {
    return open_folder(path_, part, options);
  }
  if (kind_ == Kind::tables) {
    return read_table_files(files_of(part), path_, options);
  }
  if (kind_ == Kind::pair) {
    return read_npy(path_, labels_, options);
  }
  if (hdf5_) {
    const bool own_files = part == Part::test && hdf5_test_;
    return read_hdf5(own_files ? *hdf5_test_ : *hdf5_, part, options);
  }
  if (arrays_) {
    const bool has_part = part == Part::test && selection_.empty() && has_test_part(false);
    return arrays_->read(selection_, has_part ? Part::test : Part::train, options);
  }
  if (contents_.size() == 0) {
    open_file();
  }
  // Text is not kept beside what was read from it.
  const Bytes contents = std::exchange(contents_, {});
  Dataset data = read_file(contents, name_of(path_), options);
  contents_ = data.next ? contents : Bytes();
  return data;
}

}  // namespace dnn
