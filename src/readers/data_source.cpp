#include "dnn/readers/data_source.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <utility>

#include "dnn/core/error.hpp"
#include "dnn/files/archive.hpp"
#include "dnn/files/contents.hpp"
#include "dnn/files/stream.hpp"
#include "dnn/files/text_encoding.hpp"
#include "dnn/readers/data_folder.hpp"
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

/// Where the path of a file or pipe ends and a selection begins; npos: there is none.
std::size_t selection_colon(const std::string& source) {
  for (std::size_t at = source.find(':'); at != std::string::npos; at = source.find(':', at + 1)) {
    const std::string path = source.substr(0, at);
    if (is_stream(path) || (exists(path) && !is_folder(path))) {
      return at;
    }
  }
  return std::string::npos;
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
  }
}

void DataSource::find_kind(const std::string& source) {
  if (exists(source) || is_stream(source)) {
    if (is_folder(source)) {
      open_tables(tables_in(source, Part::train), tables_in(source, Part::test));
      kind_ = folder_has_arrays(source) || files_.empty() ? Kind::folder : kind_;
    }
  } else if (const std::size_t colon = selection_colon(source); colon != std::string::npos) {
    path_ = source.substr(0, colon);
    selection_ = source.substr(colon + 1);
  } else if (const auto files = find_table_files(source)) {
    open_tables(*files, {});
  } else if (const std::size_t comma = source.find(','); comma != std::string::npos) {
    kind_ = Kind::pair;
    path_ = source.substr(0, comma);
    labels_ = source.substr(comma + 1);
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
  if (looks_like_archive(contents_.view)) {
    arrays_.emplace(contents_, name);
    if (arrays_->has_arrays()) {
      contents_ = {};
      return;
    }
    arrays_.reset();
    contents_ = unpack_file(contents_, name, selection_);
  } else if (!selection_.empty()) {
    throw InputError(fmt::format("{} is not an archive, so {} cannot be chosen from it", name,
                                 in_quotes(selection_)));
  }
}

bool DataSource::has_test_part(bool labelled) const {
  if (kind_ == Kind::folder) {
    return folder_has_test_part(path_, labelled);
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
      texts_.push_back(decode_text(contents, name).text);
    }
    contents_ = {};
  }
  std::vector<TableText> texts;
  for (std::size_t i = 0; i < names.size(); ++i) {
    texts.push_back({texts_[i].view, names[i]});
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
