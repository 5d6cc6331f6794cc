#pragma once

// The table of options of dnn_train: one row for each, from which --help, TOML, JSON and checks
// follow.

#include <cstddef>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "dnn/options/config.hpp"

namespace dnn {

/// The field of an option that takes one of several words.
struct WordField {
  std::vector<std::string> words;
  std::string bare;  ///< the word that the option's name alone stands for; empty: it needs a word
  std::function<std::string(const Config&)> get;
  std::function<void(Config&, const std::string&)> set;
};

/// The field of Config that an option sets.
using OptionField =
    std::variant<std::string Config::*, bool Config::*, double Config::*, std::size_t Config::*,
                 std::optional<double> Config::*, std::optional<std::size_t> Config::*,
                 std::vector<std::size_t> Config::*, WordField>;

/// How long an option's value binds a run.
enum class Binding {
  model,    ///< it decides what the model becomes: a resumed run must have the same
  machine,  ///< it may change when a run resumes; a replay takes over the run's
  job,      ///< it may change when a run resumes; a replay has none
};

/// One option of a training run: a row of option_table().
struct Option {
  std::string name;  ///< without dashes: also the key in TOML and JSON
  std::string group;
  std::string type;  ///< what --help calls its value; empty for flags and words
  OptionField field;
  std::string help;
  Binding binding = Binding::model;
  /// The rule that a configuration breaks with this option; empty if it breaks none.
  std::function<std::string(const Config&)> broken_rule;
  /// The value that counts where nobody has given one, if that is not the field's.
  std::function<nlohmann::ordered_json(const Config&)> effective;
};

/// All options of a training run, in the order of --help. --help, --print-config, the suggestion
/// for a misspelt name, run.json and what a resumed run may change follow from it. A new option is
/// a row here and a field in the settings of the layer that obeys it.
[[nodiscard]] std::span<const Option> option_table();

/// The option's value in `config`, as JSON.
[[nodiscard]] nlohmann::ordered_json value_of(const Option& option, const Config& config);

/// The option's value in `config` as on the command line.
[[nodiscard]] std::string text_of(const Option& option, const Config& config);

}  // namespace dnn
