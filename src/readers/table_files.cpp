#include "dnn/readers/table_files.hpp"

#include <fmt/format.h>
#include <glob.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <memory>
#include <utility>

#include "dnn/core/available_memory.hpp"
#include "dnn/core/error.hpp"
#include "dnn/files/contents.hpp"
#include "dnn/files/text_encoding.hpp"
#include "dnn/readers/hdf5_file.hpp"
#include "dnn/readers/libsvm_detection.hpp"
#include "dnn/readers/libsvm_reader.hpp"
#include "dnn/readers/npy_array.hpp"
#include "dnn/readers/packed_endings.hpp"
#include "dnn/tables/cell.hpp"
#include "dnn/tables/read_table.hpp"

namespace dnn {

namespace {

namespace fs = std::filesystem;

bool is_file(const std::string& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

/// Throws InputError where one of the files, which are sorted, is there compressed as well: its
/// rows would count twice. `source` is what was found to mean these files.
void check_read_once(const std::vector<std::string>& files, const std::string& source) {
  for (const std::string& file : files) {
    for (const char* packed : packed_endings) {
      if (std::binary_search(files.begin(), files.end(), file + packed)) {
        throw InputError(fmt::format(
            "{}: both {} and {} are there, and their rows would count twice; remove one of them, "
            "or name the files to read",
            source, file, fs::path(file + packed).filename().string()));
      }
    }
  }
}

std::vector<std::string> matching_files(const std::string& pattern) {
  glob_t found{};
  std::vector<std::string> files;
  if (::glob(pattern.c_str(), 0, nullptr, &found) == 0) {
    for (std::size_t i = 0; i < found.gl_pathc; ++i) {
      if (is_file(found.gl_pathv[i])) {
        files.emplace_back(found.gl_pathv[i]);
      }
    }
  }
  ::globfree(&found);
  std::sort(files.begin(), files.end());
  check_read_once(files, pattern);
  return files;
}

/// What cannot be read is no NPY file: reading it as a table says why.
bool begins_like_npy(const std::string& path) {
  constexpr std::size_t header = 64;
  try {
    return looks_like_npy(first_bytes(path, header));
  } catch (const InputError&) {
    return false;
  }
}

/// Whether the file is named like a table of text, compressed or not.
bool is_named_like_a_table(const std::string& whole_name) {
  std::string name = in_lower_case(whole_name);
  constexpr std::array endings = {".csv",  ".tsv", ".tab",    ".psv",     ".txt",
                                  ".data", ".svm", ".libsvm", ".svmlight"};
  for (const char* suffix : packed_endings) {
    if (name.ends_with(suffix)) {
      name.resize(name.size() - std::string_view(suffix).size());
      break;
    }
  }
  return std::any_of(endings.begin(), endings.end(),
                     [&name](const char* suffix) { return name.ends_with(suffix); });
}

/// The words of a name, in lower case: "KDDTest" and "kdd_test" are kdd and test each.
std::vector<std::string> words_in_name(const std::string& name) {
  const auto is = [&name](int (*kind)(int), std::size_t at) {
    return at < name.size() && kind(static_cast<unsigned char>(name[at])) != 0;
  };
  const std::string lower = in_lower_case(name);
  std::vector<std::string> words(1);
  for (std::size_t at = 0; at < name.size(); ++at) {
    const bool begins_word =
        at > 0 && is(std::isupper, at) &&
        (is(std::islower, at - 1) || (is(std::isupper, at - 1) && is(std::islower, at + 1)));
    if (begins_word || !is(std::isalpha, at)) {
      words.emplace_back();
    }
    if (is(std::isalpha, at)) {
      words.back() += lower[at];
    }
  }
  return words;
}

/// Whether one of the words that mean a test part is in the name: in Test.csv and x_test-1.csv, not
/// in latest.csv.
bool says_test(const std::string& name) {
  const std::vector<std::string> words = words_in_name(name);
  return std::any_of(words.begin(), words.end(), [](const std::string& word) {
    return word == "test" || word == "tests" || word == "testing";
  });
}

/// Files that are compressed, of which each member of a team unpacks some.
class SharedUnpacking {
 public:
  /// `files`: the paths of all files; `packed`: which of them are compressed.
  SharedUnpacking(const std::vector<std::string>& files, const std::vector<std::size_t>& packed,
                  const ReadingTeam& team)
      : files_(files), packed_(packed), team_(team) {}

  /// Collective over the team: gives the files' contents to all members. Throws InputError, on all
  /// members: the error of the first file that has one.
  void read(std::vector<Bytes>& contents) const {
    std::size_t failed = packed_.size();
    std::string error;
    for (std::size_t k = team_.index(); k < failed; k += team_.size()) {
      try {
        contents[packed_[k]] = read_contents(files_[packed_[k]]);
      } catch (const InputError& thrown) {
        failed = k;
        error = thrown.what();
      }
    }
    throw_first(failed, error);
    for (std::size_t k = 0; k < packed_.size(); ++k) {
      spread(k % team_.size() == team_.index(), contents[packed_[k]]);
    }
  }

 private:
  void throw_first(std::size_t failed, const std::string& error) const {
    const std::vector<std::size_t> all = team_.exchange_value(failed);
    const std::vector<std::string> errors = team_.exchange(error);
    const auto first = std::min_element(all.begin(), all.end());
    if (*first < packed_.size()) {
      throw InputError(errors[static_cast<std::size_t>(first - all.begin())]);
    }
  }

  /// Gives the contents of a file from the member that has them to all.
  void spread(bool is_mine, Bytes& contents) const {
    const ReadingTeam::Places places = team_.places_of(is_mine ? contents.size() : 0);
    if (!is_mine) {
      require_memory(places.total, "the text of a compressed file");
      const auto room = std::make_shared_for_overwrite<std::byte[]>(places.total);
      contents = {std::span(room.get(), places.total), room, {}, 0};
    }
    // Nothing is written where it is its own.
    auto* const bytes = const_cast<std::byte*>(contents.view.data());
    team_.complete({bytes, contents.size()}, places, 1);
  }

  const std::vector<std::string>& files_;
  const std::vector<std::size_t>& packed_;
  const ReadingTeam& team_;
};

/// Collective over the options' team: the contents of all files.
std::vector<Bytes> contents_of(const std::vector<std::string>& files, const std::string& origin,
                               const ReadingTeam& team, std::vector<std::string>& notes) {
  std::vector<Bytes> contents(files.size());
  std::vector<std::size_t> packed;
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (!team.is_alone() && files.size() > 1 && is_packed(files[i])) {
      packed.push_back(i);
    } else {
      contents[i] = read_contents(files[i]);
    }
  }
  if (!packed.empty()) {
    SharedUnpacking(files, packed, team).read(contents);
    notes.push_back(fmt::format(
        "{}: compressed text cannot be cut: each of the {} compressed files is read by one node, "
        "which gives its text to the others",
        origin, packed.size()));
  }
  return contents;
}

/// The files of a part whose names are wanted, sorted.
std::vector<std::string> files_in(const std::string& folder, Part part,
                                  bool (*is_wanted)(const std::string& name)) {
  std::vector<std::string> files;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with('.') && is_wanted(name) && says_test(name) == (part == Part::test) &&
        is_file(entry.path().string())) {
      files.push_back(entry.path().string());
    }
  }
  std::sort(files.begin(), files.end());
  check_read_once(files, folder);
  return files;
}

}  // namespace

std::optional<std::vector<std::string>> find_table_files(const std::string& source) {
  if (source.find_first_of("*?[") != std::string::npos) {
    std::vector<std::string> files = matching_files(source);
    if (files.empty()) {
      throw InputError(source + ": no file matches this pattern");
    }
    return files;
  }
  std::vector<std::string> files = split_words(source);
  if (files.size() < 2 || !is_file(files.front()) || begins_like_npy(files.front())) {
    return std::nullopt;
  }
  for (const std::string& file : files) {
    if (!is_file(file)) {
      throw InputError(fmt::format("{}: there is no file {}", source, file));
    }
  }
  return files;
}

std::vector<std::string> tables_in(const std::string& folder, Part part) {
  return files_in(folder, part, is_named_like_a_table);
}

std::vector<std::string> hdf5_files_in(const std::string& folder, Part part) {
  return files_in(folder, part, is_named_like_hdf5);
}

Dataset read_table_files(const std::vector<std::string>& files, const std::string& origin,
                         const ReadOptions& options) {
  std::vector<TableText> texts;
  std::vector<std::string> notes;
  std::vector<Bytes> contents = contents_of(files, origin, options.team, notes);
  for (std::size_t i = 0; i < files.size(); ++i) {
    DecodedText decoded = decode_text(contents[i], files[i], options.team);
    if (!decoded.note.empty()) {
      notes.push_back(decoded.note);
    }
    contents[i] = std::move(decoded.text);
    texts.push_back({contents[i].view, files[i], !contents[i].mapped_path.empty()});
  }
  if (files.size() > 1) {
    notes.push_back(
        fmt::format("{}: {} files, {} to {}", origin, files.size(), files.front(), files.back()));
  }
  Dataset data = looks_like_libsvm(contents.front().view)
                     ? read_libsvm(texts, origin, options)
                     : read_table_parts(texts, origin, options);
  data.notes.insert(data.notes.begin(), notes.begin(), notes.end());
  return data;
}

}  // namespace dnn
