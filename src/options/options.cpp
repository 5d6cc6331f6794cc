#include "dnn/options/options.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>
#include <type_traits>
#include <utility>
#include <variant>

#include "dnn/core/error.hpp"
#include "dnn/data/number.hpp"
#include "dnn/options/choices.hpp"
#include "dnn/options/chosen_defaults.hpp"
#include "dnn/options/command_line.hpp"
#include "dnn/options/option_table.hpp"
#include "dnn/readers/hdf5_file.hpp"

namespace dnn {

namespace {

template <class T>
void expect_number(CLI::Option* option) {
  if constexpr (std::is_arithmetic_v<T>) {
    static_assert(std::is_unsigned_v<T>);
    option->transform(whole_number());
  }
}

CLI::Option* add_field(CLI::App& app, const Option& option, const WordField& field,
                       Config& config) {
  std::string words;
  for (const std::string& word : field.words) {
    words += (words.empty() ? "" : "|") + word;
  }
  const auto read = [&config, &field, name = option.name, words](const std::string& given) {
    const std::string& word = given.empty() ? field.bare : given;
    if (std::find(field.words.begin(), field.words.end(), word) == field.words.end()) {
      throw CLI::ValidationError("--" + name, "'" + word + "' is none of " + words);
    }
    field.set(config, word);
  };
  CLI::Option* added =
      app.add_option_function<std::string>("--" + option.name, read, option.help)->type_name(words);
  // CLI11 gives the default text to an option without a value.
  return field.bare.empty() ? added->default_str(field.get(config)) : added->expected(0, 1);
}

CLI::Option* add_field(CLI::App& app, const Option& option, bool Config::*field, Config& config) {
  return app.add_flag("--" + option.name, config.*field, option.help);
}

/// Reads a number as files have it: CLI11 takes the decimal comma of the C locale, which a program
/// that trains with the library may have set.
template <class Number>
CLI::Option* add_real(CLI::App& app, const Option& option, Number& number) {
  const std::string name = "--" + option.name;
  const auto read = [&number, name](const std::string& text) {
    const std::optional<double> value = parse_number<double>(text);
    if (!value) {
      throw CLI::ValidationError(
          name, text.empty() ? "a number is missing" : in_quotes(text) + " is no number");
    }
    number = *value;
  };
  return app.add_option_function<std::string>(name, read, option.help)->type_name(option.type);
}

CLI::Option* add_field(CLI::App& app, const Option& option, std::optional<double> Config::*field,
                       Config& config) {
  return add_real(app, option, config.*field);
}

CLI::Option* add_field(CLI::App& app, const Option& option, double Config::*field, Config& config) {
  return add_real(app, option, config.*field)->default_str(fmt::format("{}", config.*field));
}

template <class T>
CLI::Option* add_field(CLI::App& app, const Option& option, std::optional<T> Config::*field,
                       Config& config) {
  CLI::Option* added = app.add_option("--" + option.name, config.*field, option.help);
  expect_number<T>(added);
  return added->type_name(option.type);
}

CLI::Option* add_field(CLI::App& app, const Option& option, std::vector<std::size_t> Config::*field,
                       Config& config) {
  std::string numbers;
  for (const std::size_t number : config.*field) {
    numbers += (numbers.empty() ? "" : ",") + std::to_string(number);
  }
  return app.add_option("--" + option.name, config.*field, option.help)
      ->type_name(option.type)
      ->delimiter(',')
      ->transform(whole_number())
      ->default_str(numbers);
}

template <class T>
CLI::Option* add_field(CLI::App& app, const Option& option, T Config::*field, Config& config) {
  CLI::Option* added = app.add_option("--" + option.name, config.*field, option.help);
  expect_number<T>(added);
  return added->type_name(option.type)->capture_default_str();
}

/// One option for each of the table's, in its order.
std::vector<const CLI::Option*> add_options(CLI::App& app, Config& config) {
  std::vector<const CLI::Option*> all;
  for (const Option& option : option_table()) {
    std::visit(
        [&](const auto& field) {
          CLI::Option* added = add_field(app, option, field, config)->group(option.group);
          if (is_open(config, option.name)) {
            added->default_str("auto");
          }
          all.push_back(added);
        },
        option.field);
  }
  return all;
}

/// Whether the run of these settings may have had no --batch-size at all: then it had the usual
/// size, or all samples where they are fewer. Said aloud, the usual one would be refused there.
bool may_leave_batch_size(const nlohmann::ordered_json& settings) {
  const bool is_chosen_from_data =
      settings.contains("defaults") && settings["defaults"] != word_for(Defaults::plain) &&
      !(settings.contains("chosen") && settings["chosen"].contains("defaults"));
  return !is_chosen_from_data && settings["batch-size"] == Config::default_batch_size;
}

/// Gives every option that nobody has given the value that `settings` has for it; the data do not
/// choose what the run's version did not choose. A replay has none of the options that bind a job
/// only.
void apply_settings(CLI::App& app, const std::string& settings, Config& config) {
  const auto json = nlohmann::ordered_json::parse(settings);
  if (!json.contains("defaults") && app.get_option("--defaults")->count() == 0) {
    config.defaults = Defaults::plain;  // a run of an earlier version
  }
  for (const Option& option : option_table()) {
    const std::string& name = option.name;
    if (is_open(config, name) && !json.contains(name) &&
        !(json.contains("chosen") && json["chosen"].contains(name))) {
      config.given.insert(name);
    }
  }
  const auto word = [](const nlohmann::ordered_json& value) {
    return value.is_string() ? value.get<std::string>() : value.dump();
  };
  for (const auto& [key, value] : json.items()) {
    const bool is_chosen = json.contains("chosen") && json["chosen"].contains(key);
    if (key == "reproducible" || key == "chosen" || is_chosen) {
      continue;  // an option of earlier versions; what the data decide again
    }
    const auto known = std::find_if(option_table().begin(), option_table().end(),
                                    [&key = key](const Option& o) { return o.name == key; });
    if (known == option_table().end()) {
      throw InputError("the run had a setting that this version does not know: " + key);
    }
    CLI::Option* option = app.get_option("--" + key);
    const bool unset = key == "batch-size" && may_leave_batch_size(json);
    if (unset || option->count() > 0 || known->binding == Binding::job) {
      continue;
    }
    std::vector<std::string> words;
    for (const auto& element : value.is_array() ? value : nlohmann::ordered_json::array({value})) {
      words.push_back(word(element));
    }
    try {
      option->add_result(words);
      option->run_callback();
      config.given.insert(key);
    } catch (const CLI::ParseError& error) {
      throw InputError(fmt::format("the run's setting {}: {}", key, error.what()));
    }
  }
}

/// The replay that the command line asks for, if any.
std::optional<ReplayRequest> replay_of(const CLI::App& app, const ReplayRequest& given,
                                       const Config& config) {
  const bool wanted = app.get_option("--replay")->count() > 0;
  if (wanted != (app.get_option("--from")->count() > 0)) {
    throw InputError("--replay UPDATE and --from CHECKPOINT belong together");
  }
  if (!wanted) {
    return std::nullopt;
  }
  if (given.update == 0) {
    throw InputError("--replay 0: updates are counted from 1");
  }
  for (const Option& option : option_table()) {
    const bool is_meant =
        option.binding != Binding::job || option.name == "output" || option.name == "quiet";
    if (!is_meant && app.get_option("--" + option.name)->count() > 0) {
      throw InputError(fmt::format(
          "--replay computes one update again and writes no run; leave --{} out", option.name));
    }
  }
  ReplayRequest request = given;
  request.output = config.output;
  return request;
}

/// What is read several times without growing: CLI11 2.1 adds to the order of the options that were
/// met and never clears it.
class RepeatedApp : public CLI::App {
 public:
  using CLI::App::App;

  void forget_order() { parse_order_.clear(); }
};

/// The command line of dnn_train with all its options, read as often as it is asked to.
class TrainCommandLine {
 public:
  TrainCommandLine();
  TrainCommandLine(const TrainCommandLine&) = delete;
  TrainCommandLine& operator=(const TrainCommandLine&) = delete;

  /// See parse_options().
  Options parse(int argc, const char* const* argv, const std::string& settings);

 private:
  /// What reading fills.
  struct Given {
    Given() { config.defaults = Defaults::automatic; }

    Config config;
    ReplayRequest replay;
    bool print_config = false;
    bool reproducible = false;  ///< an option of earlier versions
  };

  Given given_;
  RepeatedApp app_;
  std::vector<const CLI::Option*> options_;  ///< of the table, in its order
};

TrainCommandLine::TrainCommandLine()
    : app_(
          "Trains a dense neural network (ReLU, softmax, cross-entropy) on any number of MPI "
          "ranks, with\n  mpirun -np 8 dnn_train --data FILE\nWithout --data it trains on 1,797 "
          "digits that it carries.",
          "dnn_train") {
  app_.set_config("--config", "", "TOML file with any of these options as keys")->type_name("FILE");
  app_.add_flag("--print-config", given_.print_config,
                "print the effective configuration, in a form --config takes back")
      ->configurable(false);
  options_ = add_options(app_, given_.config);
  app_.add_flag("--reproducible", given_.reproducible)->group("");
  app_.add_option("--replay", given_.replay.update,
                  "compute this update of a run again (from 1), on any number of ranks, with the "
                  "run's own settings, and print what it did")
      ->transform(whole_number())
      ->type_name("UPDATE");
  app_.add_option("--from", given_.replay.from,
                  "a checkpoint of the run from before that update, or its folder")
      ->type_name("CHECKPOINT");
  for (const char* name : {"--replay", "--from"}) {
    app_.get_option(name)->configurable(false)->group("Replay");
  }
}

Options TrainCommandLine::parse(int argc, const char* const* argv, const std::string& settings) {
  given_ = {};
  app_.forget_order();
  Config& config = given_.config;
  Options options;
  options.print = parse_command_line(app_, argc, argv);
  if (!options.print) {
    if (given_.reproducible) {
      options.note = "note: --reproducible is no longer an option: dnn_train always works this way";
    }
    for (std::size_t i = 0; i < options_.size(); ++i) {
      if (options_[i]->count() > 0) {
        config.given.insert(option_table()[i].name);
      }
    }
    options.replay = replay_of(app_, given_.replay, config);
    if (!settings.empty()) {
      apply_settings(app_, settings, config);
    }
    check(config);
    if (given_.print_config) {
      options.print = to_toml(config);
    }
  }
  options.config = config;
  return options;
}

}  // namespace

Options parse_options(int argc, const char* const* argv, const std::string& settings) {
  // Made once: that takes longer than to read a command line, and a job reads its own up to three
  // times. Each thread has one, for programs that train in several.
  thread_local TrainCommandLine command_line;
  return command_line.parse(argc, argv, settings);
}

}  // namespace dnn
