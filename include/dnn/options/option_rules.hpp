#pragma once

// What rows of the option table are made of.

#include <cmath>
#include <functional>
#include <string>
#include <utility>

#include "dnn/core/error.hpp"
#include "dnn/options/choices.hpp"
#include "dnn/options/option_table.hpp"

namespace dnn {

/// See Option::broken_rule.
using Rule = std::function<std::string(const Config&)>;

/// The field of an option that takes the words of choices<Enum>().
template <class Enum, class Settings>
WordField words(Enum Settings::*field) {
  WordField made;
  for (const auto& [word, meaning] : choices<Enum>()) {
    made.words.push_back(word);
  }
  made.get = [field](const Config& config) -> std::string { return word_for(config.*field); };
  made.set = [field](Config& config, const std::string& word) {
    config.*field = choices<Enum>().at(word);
  };
  return made;
}

/// The same where the option's name alone stands for the word `bare`.
template <class Enum, class Settings>
WordField words_or_bare(Enum Settings::*field, const std::string& bare) {
  WordField made = words(field);
  made.bare = bare;
  return made;
}

/// The rule `text`, unless `holds` does.
inline Rule rule(std::function<bool(const Config&)> holds, std::string text) {
  return [holds = std::move(holds), text = std::move(text)](const Config& config) {
    return holds(config) ? std::string() : text;
  };
}

/// A finite number, 0 or more.
inline Rule at_least_0(double Config::*field) {
  return rule([field](const Config& c) { return std::isfinite(c.*field) && c.*field >= 0; },
              "must be a finite number, 0 or more");
}

/// At least 0 and less than 1.
inline Rule fraction(double Config::*field) {
  return rule([field](const Config& c) { return c.*field >= 0 && c.*field < 1; },
              "must be at least 0 and less than 1");
}

/// From `least` to `most`, both included.
inline Rule in_range(std::size_t Config::*field, std::size_t least, std::size_t most) {
  return rule([=](const Config& c) { return c.*field >= least && c.*field <= most; },
              "must be " + std::to_string(least) + " to " + std::to_string(most));
}

/// Both rules, the first one first.
inline Rule both(const Rule& first, const Rule& second) {
  return [=](const Config& config) {
    const std::string broken = first(config);
    return broken.empty() ? second(config) : broken;
  };
}

/// What `parse` says of a text that it does not take.
template <class Parse>
std::string reason_of(const std::string& text, Parse parse) {
  try {
    (void)parse(text);
    return {};
  } catch (const InputError& error) {
    return error.what();
  }
}

}  // namespace dnn
