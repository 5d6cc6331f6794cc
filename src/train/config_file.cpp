#include "dnn/train/config_file.hpp"

#include <toml++/toml.h>
#include <algorithm>
#include <array>
#include <istream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "dnn/core/error.hpp"

namespace dnn {

namespace {

std::string read_all(std::istream& input) {
  constexpr std::size_t most = std::size_t{1} << 20;
  std::string text;
  std::array<char, 4096> piece{};
  do {
    input.read(piece.data(), piece.size());
    text.append(piece.data(), static_cast<std::size_t>(input.gcount()));
    if (text.size() > most) {
      throw InputError("larger than a configuration may be (1 MiB)");
    }
  } while (input);
  return text;
}

/// Where a string of TOML ends that begins at `begin`, behind its last quote; a string that is not
/// closed ends with the text, or with its line.
std::size_t end_of_string(std::string_view text, std::size_t begin) {
  const char quote = text[begin];
  const std::string three(3, quote);
  const bool has_lines = text.substr(begin, 3) == three;
  const std::size_t quotes = has_lines ? 3 : 1;
  for (std::size_t i = begin + quotes; i < text.size(); ++i) {
    if (text[i] == '\\' && quote == '"') {
      ++i;
    } else if (text.substr(i, quotes) == std::string_view(three).substr(0, quotes)) {
      return i + quotes;
    } else if (text[i] == '\n' && !has_lines) {
      return i;
    }
  }
  return text.size();
}

/// Refuses what is not ASCII outside of strings and comments. It is no TOML, and toml++ 3.3 has no
/// defined behaviour for it (is_non_ascii_whitespace).
void require_ascii_outside_strings(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '#') {
      i = std::min(text.find('\n', i), text.size());
    } else if (text[i] == '"' || text[i] == '\'') {
      i = end_of_string(text, i) - 1;
    } else if (static_cast<unsigned char>(text[i]) >= 0x80) {
      const auto line =
          1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(i), '\n');
      throw InputError("line " + std::to_string(line) +
                       ": characters that are not ASCII are written in quotes");
    }
  }
}

/// What the command line would have in place of a value.
std::string word(const toml::node& value, const std::string& key) {
  if (const auto* text = value.as_string()) {
    return text->get();
  }
  if (const auto* number = value.as_integer()) {
    return std::to_string(number->get());
  }
  if (const auto* number = value.as_floating_point()) {
    return nlohmann::json(number->get()).dump();
  }
  if (const auto* truth = value.as_boolean()) {
    return truth->get() ? "true" : "false";
  }
  std::ostringstream message;
  message << "line " << value.source().begin.line << ": '" << key
          << "': a text, a number, true, false or a list of them is expected"
          << (value.is_table() ? "; sections are not used, every option is a key of its own" : "");
  throw InputError(message.str());
}

std::vector<std::string> words(const toml::node& value, const std::string& key) {
  const toml::array* array = value.as_array();
  if (array == nullptr) {
    return {word(value, key)};
  }
  std::vector<std::string> all;
  for (const toml::node& element : *array) {
    all.push_back(word(element, key));
  }
  return all;
}

}  // namespace

std::vector<CLI::ConfigItem> ConfigFile::from_config(std::istream& input) const {
  std::string text = read_all(input);
  if (text.starts_with("\xef\xbb\xbf")) {
    text.erase(0, 3);
  }
  require_ascii_outside_strings(text);
  try {
    const toml::table table = toml::parse(std::string_view(text));
    std::vector<std::pair<toml::source_position, CLI::ConfigItem>> by_place;
    for (const auto& [key, value] : table) {
      CLI::ConfigItem item;
      item.name = std::string(key.str());
      item.inputs = words(value, item.name);
      by_place.emplace_back(key.source().begin, std::move(item));
    }
    // In the file's order, so that the first error is told.
    std::sort(by_place.begin(), by_place.end(),
              [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<CLI::ConfigItem> all;
    for (auto& placed : by_place) {
      all.push_back(std::move(placed.second));
    }
    return all;
  } catch (const toml::parse_error& error) {
    throw InputError("line " + std::to_string(error.source().begin.line) + ": this is no TOML: " +
                     std::string(error.description()) + " (texts and words are written in quotes)");
  }
}

std::string toml_string(const std::string& text) {
  // JSON's strings are TOML's, but for one control character.
  std::string quoted;
  try {
    quoted = nlohmann::json(text).dump();
  } catch (const nlohmann::json::type_error&) {
    throw InputError("'" + text + "' is not UTF-8, and cannot be written as TOML");
  }
  std::string result;
  for (const char c : quoted) {
    result += c == '\x7f' ? std::string("\\u007f") : std::string(1, c);
  }
  return result;
}

}  // namespace dnn
