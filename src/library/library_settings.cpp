#include "dnn/library/library_settings.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "dnn/core/error.hpp"
#include "dnn/options/command_line.hpp"
#include "dnn/options/config_file.hpp"
#include "dnn/options/option_table.hpp"
#include "dnn/options/options.hpp"

namespace dnn {

namespace {

const std::vector<std::string> own_keys = {"classes", "class-names", "feature-names", "store",
                                           "store-keeps"};

/// Whether a library's trainer obeys an option of the programs.
bool is_obeyed(const Option& option) {
  static const std::set<std::string> groups = {"Network", "Training", "Ranks"};
  static const std::set<std::string> others = {"task",          "validation",   "normalize",
                                               "clip-features", "on-nonfinite", "verify-every"};
  return (groups.contains(option.group) || others.contains(option.name)) &&
         option.name != "model-parallel" && option.name != "split-hidden";
}

std::size_t number(const ConfigKey& key) {
  const std::string& text = key.values.size() == 1 ? key.values.front() : std::string();
  std::size_t value = 0;
  const auto end = text.data() + text.size();
  const auto [read, error] = std::from_chars(text.data(), end, value);
  if (text.empty() || read != end || error != std::errc()) {
    throw InputError(fmt::format("{} {}: a whole number of 0 or more, below 2^64, is needed",
                                 key.name,
                                 in_quotes(fmt::format("{}", fmt::join(key.values, ",")))));
  }
  return value;
}

StoreKeeps store_keeps(const ConfigKey& key) {
  if (key.values == std::vector<std::string>{"sample"}) {
    return StoreKeeps::sample;
  }
  if (key.values == std::vector<std::string>{"newest"}) {
    return StoreKeeps::newest;
  }
  throw InputError("store-keeps: it is 'sample' or 'newest'");
}

bool read_own(const ConfigKey& key, LibrarySettings& settings) {
  if (key.name == "classes") {
    settings.classes = number(key);
  } else if (key.name == "class-names") {
    settings.class_names = key.values;
  } else if (key.name == "feature-names") {
    settings.feature_names = key.values;
  } else if (key.name == "store") {
    settings.store = number(key);
  } else if (key.name == "store-keeps") {
    settings.store_keeps = store_keeps(key);
  } else {
    return false;
  }
  return true;
}

/// Throws InputError unless a trainer obeys the option of this name.
void check_known(const std::string& name) {
  std::vector<std::string> known = own_keys;
  bool is_of_the_programs = false;
  for (const Option& option : option_table()) {
    if (is_obeyed(option)) {
      known.push_back(option.name);
    } else {
      is_of_the_programs = is_of_the_programs || option.name == name;
    }
  }
  if (is_of_the_programs) {
    throw InputError(
        fmt::format("the option {} is the programs' alone; a Trainer reads and writes no files by "
                    "itself, its host says when it ends, and each of its ranks holds the whole "
                    "network",
                    name));
  }
  if (std::find(known.begin(), known.end(), name) == known.end()) {
    const std::string nearest = nearest_name(name, known);
    throw InputError(
        fmt::format("unknown option {}{}", in_quotes(name),
                    nearest.empty() ? std::string() : "; did you mean " + nearest + "?"));
  }
}

}  // namespace

LibrarySettings LibrarySettings::parse(const std::string& toml) {
  LibrarySettings settings;
  std::vector<std::string> words = {"dnn_train"};
  for (const ConfigKey& key : parse_config_text(toml)) {
    check_known(key.name);
    if (!read_own(key, settings)) {
      words.push_back(fmt::format("--{}={}", key.name, fmt::join(key.values, ",")));
    }
  }
  std::vector<const char*> arguments;
  for (const std::string& word : words) {
    arguments.push_back(word.c_str());
  }
  settings.config = parse_options(static_cast<int>(arguments.size()), arguments.data()).config;
  settings.config.data = "the samples of the calling program";
  return settings;
}

}  // namespace dnn
