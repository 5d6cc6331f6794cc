#include "dnn/readers/npz_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <utility>

#include "dnn/core/error.hpp"
#include "dnn/files/archive.hpp"
#include "dnn/files/contents.hpp"
#include "dnn/readers/npy_array.hpp"
#include "dnn/readers/npy_reader.hpp"

namespace dnn {

namespace {

const std::vector<std::string> features_names = {"x", "features", "data", "images"};
const std::vector<std::string> labels_names = {"y", "label", "labels", "target", "targets"};
constexpr std::string_view ending = ".npy";

/// An array's name as it is compared: without folders, in lower case.
std::string plain(const std::string& name) {
  std::string result = name.substr(name.find_last_of('/') + 1);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

}  // namespace

NpzArchive::NpzArchive(Bytes archive, std::string origin)
    : archive_(std::move(archive)), origin_(std::move(origin)) {
  for (const std::string& member : member_names(archive_, origin_)) {
    if (member.ends_with(ending)) {
      arrays_.push_back(member.substr(0, member.size() - ending.size()));
    }
  }
}

std::string NpzArchive::how_to_select() const {
  return fmt::format(
      "The archive holds the arrays {}. Name those of the features and labels, as in "
      "file.npz:X,y, or save them as x and y (x_train, y_train, x_test, y_test)",
      list_of(arrays_));
}

/// The array with a usual name, next to `part_word` where there is one; empty: none.
std::string NpzArchive::find(const std::vector<std::string>& usual,
                             const std::string& part_word) const {
  std::vector<std::string> found;
  for (const std::string& array : arrays_) {
    const auto is_name = [&](const std::string& name) {
      return part_word.empty()
                 ? plain(array) == name
                 : plain(array) == name + "_" + part_word || plain(array) == part_word + "_" + name;
    };
    if (std::any_of(usual.begin(), usual.end(), is_name)) {
      found.push_back(array);
    }
  }
  if (found.size() > 1) {
    throw InputError(fmt::format("{}: {} and {} may both be meant. {}", origin_,
                                 in_quotes(found[0]), in_quotes(found[1]), how_to_select()));
  }
  return found.empty() ? std::string() : found.front();
}

NpzArchive::Names NpzArchive::names_of(Part part) const {
  if (part == Part::test) {
    return {find(features_names, "test"), find(labels_names, "test")};
  }
  if (arrays_.size() == 1) {
    return {arrays_.front(), {}};
  }
  const std::string train = find(features_names, "train");
  return train.empty() ? Names{find(features_names, ""), find(labels_names, "")}
                       : Names{train, find(labels_names, "train")};
}

NpzArchive::Names NpzArchive::selected(const std::string& selection) const {
  const std::size_t comma = selection.find(',');
  Names names{selection.substr(0, comma),
              comma == std::string::npos ? std::string() : selection.substr(comma + 1)};
  for (const std::string& name : {names.features, names.labels}) {
    if (!name.empty() && std::find(arrays_.begin(), arrays_.end(), name) == arrays_.end()) {
      throw InputError(
          fmt::format("{}: there is no array {}. {}", origin_, in_quotes(name), how_to_select()));
    }
  }
  return names;
}

bool NpzArchive::has_test_part(bool labelled) const {
  const Names names = names_of(Part::test);
  return !names.features.empty() && (!names.labels.empty() || !labelled);
}

Dataset NpzArchive::read(const std::string& selection, Part part,
                         const ReadOptions& options) const {
  const Names names = selection.empty() ? names_of(part) : selected(selection);
  const bool may_hold_labels = arrays_.size() == 1 || !selection.empty();
  if (names.features.empty() ||
      (names.labels.empty() && !may_hold_labels && !options.features.has_value())) {
    throw InputError(fmt::format("{}: no array is named as {} are. {}", origin_,
                                 names.features.empty() ? "features" : "labels", how_to_select()));
  }
  const auto array = [&](const std::string& name) {
    const std::string member = name + std::string(ending);
    return parse_npy(unpack_file(archive_, origin_, member),
                     fmt::format("{}:{}", origin_, name.substr(0, 100)));
  };
  return dataset_of_arrays(array(names.features),
                           names.labels.empty() ? std::nullopt : std::optional(array(names.labels)),
                           options);
}

}  // namespace dnn
