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

[[noreturn]] void fail(std::string_view text, std::size_t place, const std::string& what) {
  const auto end = text.begin() + static_cast<std::ptrdiff_t>(place);
  throw InputError("line " + std::to_string(1 + std::count(text.begin(), end, '\n')) + ": " + what);
}

/// The last character of the string that begins at `begin`: its quote, or the last of a line on
/// which it is not closed.
std::size_t end_of_string(std::string_view text, std::size_t begin) {
  const char quote = text[begin];
  if (text.substr(begin, 3) == std::string(3, quote)) {
    fail(text, begin, "texts of several lines, in triple quotes, are not used");
  }
  std::size_t i = begin + 1;
  while (i < text.size() && text[i] != quote && text[i] != '\n') {
    i += text[i] == '\\' && quote == '"' ? 2 : 1;
  }
  return i < text.size() && text[i] == '\n' ? i - 1 : i;
}

/// Refuses what is not ASCII outside of strings and comments, and strings where none can begin. It
/// is no TOML, and toml++ 3.3 has no defined behaviour for it (is_non_ascii_whitespace).
void require_ascii_outside_strings(std::string_view text) {
  char before = '\n';  // the last character that is no blank
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '#') {
      i = std::min(text.find('\n', i), text.size());
      before = '\n';
    } else if (text[i] == '"' || text[i] == '\'') {
      if (std::string_view("\n=[,").find(before) == std::string_view::npos) {
        fail(text, i, "a quote amid a word");
      }
      i = end_of_string(text, i);
      before = '"';
    } else if (static_cast<unsigned char>(text[i]) >= 0x80) {
      fail(text, i, "characters that are not ASCII are written in quotes");
    } else if (text[i] != ' ' && text[i] != '\t') {
      before = text[i];
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
      if (item.name.empty()) {
        throw InputError("line " + std::to_string(key.source().begin.line) +
                         ": a key of no letters");
      }
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
