#include "dnn/options/config_file.hpp"

#include <fmt/format.h>

#include <toml++/toml.h>
#include <algorithm>
#include <array>
#include <cmath>
#include <istream>
#include <nlohmann/json.hpp>
#include <utility>

#include "dnn/core/classic_text.hpp"
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

/// Note [TOML in ASCII]
/// toml++ 3.3 has no defined behaviour for some characters that are not ASCII and stand where they
/// must not (is_non_ascii_whitespace). So it is given none: each of their bytes goes through it as
/// '~' and two digits, and so does '~'. Names of files that are not UTF-8 pass as well.
constexpr char mark = '~';
constexpr std::string_view digits = "0123456789abcdef";

std::string to_ascii(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80 && c != mark) {
      result += c;
    } else {
      result += {mark, digits[byte / 16], digits[byte % 16]};
    }
  }
  return result;
}

std::string from_ascii(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::size_t high = i + 2 < text.size() ? digits.find(text[i + 1]) : digits.npos;
    const std::size_t low = i + 2 < text.size() ? digits.find(text[i + 2]) : digits.npos;
    if (text[i] == mark && high != digits.npos && low != digits.npos) {
      result += static_cast<char>(16 * high + low);
      i += 2;
    } else {
      result += text[i];
    }
  }
  return result;
}

/// What the command line would have in place of a value.
std::string word(const toml::node& value, const std::string& key) {
  if (const auto* text = value.as_string()) {
    return from_ascii(text->get());
  }
  if (const auto* number = value.as_integer()) {
    return std::to_string(number->get());
  }
  if (const auto* number = value.as_floating_point()) {
    const double given = number->get();
    return std::isfinite(given) ? nlohmann::json(given).dump() : fmt::format("{}", given);
  }
  if (const auto* truth = value.as_boolean()) {
    return truth->get() ? "true" : "false";
  }
  ClassicOutput message;
  message << "line " << value.source().begin.line << ": '" << key
          << "': a text, a number, true, false or a list of them is expected"
          << (value.is_table() ? "; sections are not used, every option is a key of its own" : "");
  throw InputError(message.str());
}

std::vector<std::string> words_of(const toml::node& value, const std::string& key) {
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
  text = to_ascii(text);
  try {
    const toml::table table = toml::parse(std::string_view(text));
    std::vector<std::pair<toml::source_position, CLI::ConfigItem>> by_place;
    for (const auto& [key, value] : table) {
      CLI::ConfigItem item;
      item.name = from_ascii(key.str());
      if (item.name.empty()) {
        throw InputError(fmt::format("line {}: a key of no letters", key.source().begin.line));
      }
      item.inputs = words_of(value, item.name);
      by_place.emplace_back(key.source().begin, std::move(item));
    }
    // In the file's order, so that the first error is reported.
    std::sort(by_place.begin(), by_place.end(),
              [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<CLI::ConfigItem> all;
    all.reserve(by_place.size());
    for (auto& placed : by_place) {
      all.push_back(std::move(placed.second));
    }
    return all;
  } catch (const toml::parse_error& error) {
    throw InputError(
        fmt::format("line {}: this is no TOML: {} (texts and words are written in quotes)",
                    error.source().begin.line, std::string(error.description())));
  }
}

std::vector<ConfigKey> parse_config_text(const std::string& text) {
  ClassicInput stream(text);
  std::vector<ConfigKey> keys;
  for (CLI::ConfigItem& item : ConfigFile().from_config(stream)) {
    keys.push_back({std::move(item.name), std::move(item.inputs)});
  }
  return keys;
}

std::string toml_string(const std::string& text) {
  // JSON's strings are TOML's, but for one control character.
  std::string result;
  for (const char c : from_ascii(nlohmann::json(to_ascii(text)).dump())) {
    result += c == '\x7f' ? std::string("\\u007f") : std::string(1, c);
  }
  return result;
}

}  // namespace dnn
