#include "dnn/options/command_line.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <memory>
#include <numeric>

#include "dnn/core/error.hpp"
#include "dnn/data/number.hpp"
#include "dnn/options/bash_completion.hpp"
#include "dnn/options/config_file.hpp"
#include "dnn/options/version_text.hpp"

namespace dnn {

namespace {

/// How many single letters must be changed, added or taken away to make `b` of `a`.
std::size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0U);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row.back();
}

/// The options that have a long name; `in_file`: that a file may give.
std::vector<const CLI::Option*> named_options(const CLI::App& app, bool in_file) {
  return app.get_options([in_file](const CLI::Option* option) {
    return !option->get_lnames().empty() && (!in_file || option->get_configurable());
  });
}

std::vector<std::string> long_names_of(const std::vector<const CLI::Option*>& options) {
  std::vector<std::string> names;
  names.reserve(options.size());
  for (const CLI::Option* option : options) {
    names.push_back(option->get_lnames().front());
  }
  return names;
}

std::string suggestion(const std::string& name, const std::vector<std::string>& known,
                       const std::string& prefix) {
  const std::string nearest = nearest_name(name, known);
  return nearest.empty() ? "; --help lists them all" : "; did you mean " + prefix + nearest + "?";
}

/// Writes help as CLI11 does, but never with a single blank between an option and its description:
/// help2man tells them apart by two blanks or a line end.
class HelpFormatter : public CLI::Formatter {
 public:
  std::string make_option_opts(const CLI::Option* option) const override {
    std::string text = CLI::Formatter::make_option_opts(option);
    const std::size_t indented = 2 + make_option_name(option, false).size() + text.size();
    return indented + 1 == get_column_width() ? text + " " : text;
  }
};

/// Thrown where --bash-completion is given.
struct CallForCompletion {};

/// How help is written, and the options of every program that print a text and end it.
void add_questions(CLI::App& app) {
  app.set_version_flag("--version", app.get_name(),
                       "print the version, the MPI library and what computes products, and exit");
  app.add_flag_callback(
         "--bash-completion", [] { throw CallForCompletion(); },
         "print a script for bash that completes this program's command line, and exit")
      ->configurable(false);
  const auto formatter = std::make_shared<HelpFormatter>();
  app.formatter(formatter);
  for (CLI::App* command : app.get_subcommands([](CLI::App*) { return true; })) {
    command->formatter(formatter);
    app.set_help_all_flag("--help-all", "print the options of all commands, and exit");
  }
}

/// Knows afterwards which keys the files had that it has read.
class RememberedFile : public ConfigFile {
 public:
  std::vector<CLI::ConfigItem> from_config(std::istream& input) const override {
    std::vector<CLI::ConfigItem> keys = ConfigFile::from_config(input);
    keys_.insert(keys_.end(), keys.begin(), keys.end());
    return keys;
  }

  [[nodiscard]] const std::vector<CLI::ConfigItem>& keys() const { return keys_; }

 private:
  mutable std::vector<CLI::ConfigItem> keys_;
};

void check_keys(const CLI::App& app, const std::vector<CLI::ConfigItem>& keys) {
  const std::vector<const CLI::Option*> known = named_options(app, true);
  for (const CLI::ConfigItem& key : keys) {
    const auto is_key = [&](const CLI::Option* option) {
      return option->get_lnames().front() == key.name;
    };
    if (std::none_of(known.begin(), known.end(), is_key)) {
      const std::vector<const CLI::Option*> all = named_options(app, false);
      if (std::any_of(all.begin(), all.end(), is_key)) {
        throw InputError(fmt::format("{}: {} is for the command line alone",
                                     app.get_config_ptr()->as<std::string>(), key.name));
      }
      throw InputError(fmt::format("{}: unknown key {}{}", app.get_config_ptr()->as<std::string>(),
                                   in_quotes(key.name),
                                   suggestion(key.name, long_names_of(known), "")));
    }
  }
}

}  // namespace

const CLI::Validator& whole_number() {
  static const CLI::Validator validator(
      [](std::string& text) -> std::string {
        text = trim(text);
        if (text.starts_with('-') && text.find_first_not_of("0123456789", 1) == text.npos) {
          return in_quotes(text) + " is no number of 0 or more";
        }
        const std::string digits = text.substr(std::min(text.find_first_not_of("+0"), text.size()));
        if (text.find_first_of("0123456789") == std::string::npos ||
            digits.find_first_not_of("0123456789") != std::string::npos) {
          return text.empty() ? "a number is missing" : in_quotes(text) + " is no whole number";
        }
        constexpr std::string_view most = "18446744073709551615";
        if (digits.size() > most.size() || (digits.size() == most.size() && digits > most)) {
          return text + " is more than the largest number there is, " + std::string(most);
        }
        text = digits.empty() ? "0" : digits;
        return {};
      },
      "", "whole number");
  return validator;
}

std::string nearest_name(const std::string& wanted, const std::vector<std::string>& known) {
  std::string name = wanted;
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  std::string nearest;
  std::size_t least = name.size() / 3 + 2;
  for (const std::string& candidate : known) {
    const std::size_t longer = std::max(name.size(), candidate.size());
    if (longer - std::min(name.size(), candidate.size()) >= least) {
      continue;  // their distance is at least that
    }
    const std::size_t distance = edit_distance(name, candidate);
    if (distance < least) {
      least = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

std::optional<std::string> parse_command_line(CLI::App& app, int argc, const char* const* argv) {
  app.allow_extras();
  app.allow_config_extras(CLI::config_extras_mode::ignore_all);
  const auto file = std::make_shared<RememberedFile>();
  app.config_formatter(file);
  if (app.get_version_ptr() == nullptr) {  // not read before
    add_questions(app);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return app.help();
  } catch (const CLI::CallForAllHelp&) {
    return app.help("", CLI::AppFormatMode::All);
  } catch (const CLI::CallForVersion&) {
    return version_text(app.get_name());
  } catch (const CallForCompletion&) {
    return bash_completion(app);
  } catch (const CLI::ParseError& error) {
    throw InputError(std::string(error.what()) + " (see --help)");
  } catch (const InputError& error) {  // ConfigFile's, which does not know the path
    throw InputError(fmt::format("{}: {}", app.get_config_ptr()->as<std::string>(), error.what()));
  }
  // First: newer versions of CLI11 count the values of unknown keys among the words that remain.
  check_keys(app, file->keys());
  for (const std::string& extra : app.remaining()) {
    const std::string name = extra.substr(0, extra.find('='));
    if (!name.starts_with("-")) {
      throw InputError(
          fmt::format("unexpected argument '{}'; every setting is --option value", extra));
    }
    const std::size_t start = name.find_first_not_of('-');
    throw InputError(fmt::format("unknown option {}{}", name,
                                 suggestion(start == std::string::npos ? name : name.substr(start),
                                            long_names_of(named_options(app, false)), "--")));
  }
  return std::nullopt;
}

}  // namespace dnn
