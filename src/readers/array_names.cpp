#include "dnn/readers/array_names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "dnn/core/error.hpp"
#include "dnn/files/contents.hpp"
#include "dnn/tables/cell.hpp"

namespace dnn {

namespace {

const std::vector<std::string> features_names = {"x", "features", "data", "images"};
const std::vector<std::string> labels_names = {"y", "label", "labels", "target", "targets"};

/// "train" or "test" for a folder of such a part, else empty.
std::string part_of_folder(const std::string& folder) {
  for (const char* word : {"train", "test"}) {
    if (folder == word || folder == std::string(word) + "ing") {
      return word;
    }
  }
  return {};
}

}  // namespace

std::string plain_array_name(const std::string& name) {
  const std::string lower = in_lower_case(name);
  const std::size_t slash = lower.find_last_of('/');
  if (slash == std::string::npos) {
    return lower;
  }
  const std::string above = lower.substr(0, slash);
  const std::string part = part_of_folder(above.substr(above.find_last_of('/') + 1));
  return (part.empty() ? part : part + "_") + lower.substr(slash + 1);
}

ArrayNames::ArrayNames(std::vector<std::string> names, std::string origin, ArrayWords words)
    : names_(std::move(names)), origin_(std::move(origin)), words_(std::move(words)) {}

std::string ArrayNames::how_to_select() const {
  return fmt::format(
      "The {} holds the {}s {}. Name those of the features and labels, as in {}, or save them as x "
      "and y (x_train, y_train, x_test, y_test)",
      words_.file, words_.array, list_of(names_), words_.example);
}

/// The array with a usual name, next to `part_word` where there is one; empty: none.
std::string ArrayNames::find(const std::vector<std::string>& usual,
                             const std::string& part_word) const {
  std::vector<std::string> found;
  for (const std::string& array : names_) {
    const auto is_name = [&](const std::string& name) {
      return part_word.empty() ? plain_array_name(array) == name
                               : plain_array_name(array) == name + "_" + part_word ||
                                     plain_array_name(array) == part_word + "_" + name;
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

ArrayPair ArrayNames::of(Part part) const {
  if (part == Part::test) {
    return {find(features_names, "test"), find(labels_names, "test")};
  }
  if (names_.size() == 1) {
    return {names_.front(), {}};
  }
  const std::string train = find(features_names, "train");
  return train.empty() ? ArrayPair{find(features_names, ""), find(labels_names, "")}
                       : ArrayPair{train, find(labels_names, "train")};
}

bool ArrayNames::has_test_part(bool labelled) const {
  const ArrayPair names = of(Part::test);
  return !names.features.empty() && (!names.labels.empty() || !labelled);
}

ArrayPair ArrayNames::to_read(const std::string& selection, Part part, bool labels_optional) const {
  if (!selection.empty()) {
    const std::size_t comma = selection.find(',');
    return {selection.substr(0, comma),
            comma == std::string::npos ? std::string() : selection.substr(comma + 1)};
  }
  ArrayPair names = of(part);
  if (names.features.empty() || (names.labels.empty() && names_.size() > 1 && !labels_optional)) {
    throw InputError(fmt::format("{}: no {} is named as {} are. {}", origin_, words_.array,
                                 names.features.empty() ? "features" : "labels", how_to_select()));
  }
  return names;
}

void ArrayNames::refuse(const std::string& name) const {
  throw InputError(fmt::format("{}: there is no {} {}. {}", origin_, words_.array, in_quotes(name),
                               how_to_select()));
}

}  // namespace dnn
