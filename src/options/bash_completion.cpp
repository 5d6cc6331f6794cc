#include "dnn/options/bash_completion.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <sstream>
#include <vector>

namespace dnn {

namespace {

/// What bash offers for a value.
struct Offer {
  std::vector<std::string> words;
  std::string paths;  ///< "files", "folders" or empty

  /// The commands of the script that set it.
  [[nodiscard]] std::string to_script() const {
    std::string script;
    if (!words.empty()) {
      script += fmt::format("words=\"{}\" ", fmt::join(words, " "));
    }
    return script + (paths.empty() ? "" : "paths=" + paths + " ");
  }
};

bool is_word(const std::string& text) {
  return !text.empty() &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos;
}

/// Note [Names of values]
/// --help calls the value of an option by alternatives, as "auto|never|PATH". Small letters are
/// the word itself. Capitals stand for something: FILE, PATH, MODEL and CHECKPOINT for a file or a
/// folder, DIR, FOLDER and RUN for a folder, all others for what nobody can list. CLI11 writes
/// words that it checks itself as "TEXT:{npz,onnx}".
Offer offer_for(const std::string& type) {
  static const std::set<std::string> files = {"FILE", "FILE ...", "PATH", "MODEL", "CHECKPOINT"};
  static const std::set<std::string> folders = {"DIR", "FOLDER", "RUN"};
  Offer offer;
  const std::size_t open = type.find('{');
  const bool is_set = open != std::string::npos;
  std::istringstream alternatives(is_set ? type.substr(open + 1, type.find('}') - open - 1) : type);
  for (std::string part; std::getline(alternatives, part, is_set ? ',' : '|');) {
    if (is_word(part)) {
      offer.words.push_back(part);
    } else if (files.contains(part)) {
      offer.paths = "files";
    } else if (folders.contains(part)) {
      offer.paths = "folders";
    }
  }
  return offer;
}

bool is_shown(const CLI::Option& option) {
  return !option.get_group().empty();
}

/// The names of `option` on the command line, "-h" and "--help".
std::vector<std::string> names_of(const CLI::Option& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.get_snames()) {
    names.push_back("-" + name);
  }
  for (const std::string& name : option.get_lnames()) {
    names.push_back("--" + name);
  }
  return names;
}

/// Of a program or of a subcommand of it.
struct Words {
  std::string command;               ///< the subcommand; empty: none yet
  std::vector<std::string> options;  ///< "--help", "--data"
  std::string cases;                 ///< of the script, for the values of options
  std::string cases_of_several;      ///< the same for options that take several values
  Offer positional;
};

Words completions_of(const CLI::App& app, const std::string& command) {
  Words found{command, {}, {}, {}, {}};
  for (const CLI::Option* option : app.get_options()) {
    if (!is_shown(*option)) {
      continue;
    }
    const Offer offer = offer_for(option->get_type_name());
    if (option->get_positional()) {
      found.positional = offer;
      continue;
    }
    for (const std::string& name : names_of(*option)) {
      if (name.starts_with("--")) {
        found.options.push_back(name);
      }
      const std::string a_case =
          fmt::format("    \"{} {}\") {};;\n", command, name, offer.to_script());
      if (option->get_items_expected_max() > 0) {
        found.cases += a_case;
      }
      if (option->get_items_expected_max() > 1 && !offer.to_script().empty()) {
        found.cases_of_several += a_case;
      }
    }
  }
  for (const CLI::App* subcommand : app.get_subcommands([](const CLI::App*) { return true; })) {
    found.positional.words.push_back(subcommand->get_name());
  }
  return found;
}

/// The case of the script for a place where no option wants a value.
std::string free_place(const Words& words) {
  const std::string options = fmt::format("words=\"{}\" ", fmt::join(words.options, " "));
  const std::string others = words.positional.to_script();
  if (others.empty()) {
    return fmt::format("    \"{}\") {};;\n", words.command, options);
  }
  return fmt::format("    \"{}\") if [[ $current == -* ]]; then {}; else {}; fi ;;\n",
                     words.command, options, others);
}

}  // namespace

std::string bash_completion(const CLI::App& app) {
  std::vector<Words> all = {completions_of(app, "")};
  std::vector<std::string> commands;
  for (const CLI::App* subcommand : app.get_subcommands([](const CLI::App*) { return true; })) {
    commands.push_back(subcommand->get_name());
    all.push_back(completions_of(*subcommand, subcommand->get_name()));
  }
  std::string values;
  std::string several;
  std::string places;
  for (const Words& words : all) {
    values += words.cases;
    several += words.cases_of_several;
    places += free_place(words);
  }
  const std::string command_case =
      commands.empty()
          ? std::string()
          : fmt::format("      {}) command=${{command:-$word}} ;;\n", fmt::join(commands, "|"));
  return fmt::format(
      R"(# Completion of {0} in bash, as `{0} --bash-completion` prints it.
_{0}() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD - 1]}}
  local command="" option="" words="" paths="" word
  if [[ $current == "=" ]]; then # --option=value is three words
    current=""
  elif [[ $before == "=" ]]; then
    before=${{COMP_WORDS[COMP_CWORD - 2]}}
  fi
  for word in "${{COMP_WORDS[@]:1:COMP_CWORD - 1}}"; do
    case $word in
      -*) option=$word ;;
{1}    esac
  done
  case "$command $before" in
{2}    *) before="" ;;
  esac
  [[ $before ]] || case "$command $option" in
{3}    *) option="" ;;
  esac
  [[ $before || ( $option && $current != -* ) ]] || case $command in
{4}  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
  case $paths in
    files) compopt -o default ;;
    folders) compopt -o dirnames ;;
  esac
}}
complete -F _{0} {0}
)",
      app.get_name(), command_case, values, several, places);
}

}  // namespace dnn
