#include "dnn/train/config_file.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <istream>
#include <set>
#include <string_view>

#include "dnn/core/error.hpp"
#include "dnn/data/number.hpp"

namespace dnn {

namespace {

/// The letters after a backslash, and the characters that they stand for.
constexpr std::string_view escape_letters = "\"\\btnfr";
constexpr std::string_view escaped_characters = "\"\\\b\t\n\f\r";

bool is_control(unsigned char c) {
  return c < ' ' || c == 0x7f;
}

bool is_key_character(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.';
}

std::string utf8(std::uint32_t code) {
  const auto byte = [](std::uint32_t bits) { return static_cast<char>(bits); };
  const auto rest = [&](unsigned shift) { return byte(0x80 | (code >> shift & 0x3f)); };
  if (code < 0x80) {
    return {byte(code)};
  }
  if (code < 0x800) {
    return {byte(0xc0 | code >> 6), rest(0)};
  }
  if (code < 0x10000) {
    return {byte(0xe0 | code >> 12), rest(6), rest(0)};
  }
  return {byte(0xf0 | code >> 18), rest(12), rest(6), rest(0)};
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  std::vector<CLI::ConfigItem> parse() {
    std::vector<CLI::ConfigItem> items;
    std::set<std::string> keys;
    for (skip_lines(); !at_end(); skip_lines()) {
      CLI::ConfigItem& item = items.emplace_back();
      item.name = key();
      if (!keys.insert(item.name).second) {
        fail("the key " + in_quotes(item.name) + " appears twice");
      }
      item.inputs = value();
      skip_blanks();
      if (!at_end() && peek() != '\n') {
        fail("after the value of " + in_quotes(item.name) + ", " + in_quotes(rest_of_line()) +
             " is too much");
      }
    }
    return items;
  }

 private:
  [[nodiscard]] bool at_end() const { return position_ == text_.size(); }
  [[nodiscard]] char peek() const { return at_end() ? '\0' : text_[position_]; }

  [[noreturn]] void fail(const std::string& what) const {
    const auto line = std::count(text_.begin(), text_.begin() + position(), '\n') + 1;
    throw InputError("line " + std::to_string(line) + ": " + what);
  }
  [[nodiscard]] std::ptrdiff_t position() const { return static_cast<std::ptrdiff_t>(position_); }

  [[nodiscard]] std::string_view rest_of_line() const {
    return trim(text_.substr(position_, text_.find('\n', position_) - position_));
  }

  /// Passes over blanks, and a comment up to the line's end.
  void skip_blanks() {
    while (peek() == ' ' || peek() == '\t' || peek() == '\r') {
      ++position_;
    }
    if (peek() == '#') {
      position_ = std::min(text_.find('\n', position_), text_.size());
    }
  }

  void skip_lines() {
    for (skip_blanks(); peek() == '\n'; skip_blanks()) {
      ++position_;
    }
  }

  /// A key and the equals sign behind it.
  std::string key() {
    if (peek() == '[') {
      fail(in_quotes(rest_of_line()) + ": sections are not used; every option is a key of its own");
    }
    std::string name;
    if (peek() == '"' || peek() == '\'') {
      name = string();
    } else {
      const auto begin = text_.begin() + position();
      const auto end = std::find_if_not(begin, text_.end(), is_key_character);
      name.assign(begin, end);
      position_ += name.size();
    }
    const std::string_view rest = rest_of_line();
    if (name.empty() || !rest.starts_with('=')) {
      fail(in_quotes(name + std::string(rest)) + " is not 'key = value'");
    }
    position_ = text_.find('=', position_) + 1;
    return name;
  }

  std::vector<std::string> value() {
    skip_spaces();
    if (peek() == '"' || peek() == '\'') {
      return {string()};
    }
    return peek() == '[' ? array() : std::vector<std::string>{word("#\n")};
  }

  /// Passes over blanks alone.
  void skip_spaces() {
    position_ = std::min(text_.find_first_not_of(" \t\r", position_), text_.size());
  }

  std::vector<std::string> array() {
    std::vector<std::string> elements;
    ++position_;
    for (skip_lines(); peek() != ']'; skip_lines()) {
      elements.push_back(peek() == '"' || peek() == '\'' ? string() : word(",]#\n"));
      skip_lines();
      if (peek() == ',') {
        ++position_;
      } else if (peek() != ']') {
        fail("an array is opened and not closed; its elements are separated by commas");
      }
    }
    ++position_;
    return elements;
  }

  /// What is no string, up to one of `ends`.
  std::string word(const char* ends) {
    const std::size_t end = std::min(text_.find_first_of(ends, position_), text_.size());
    const std::string_view found = trim(text_.substr(position_, end - position_));
    position_ = end;
    return std::string(found);
  }

  std::string string() {
    const char quote = peek();
    std::string result;
    for (++position_; peek() != quote; ++position_) {
      if (at_end() || peek() == '\n') {
        fail("a string is opened with " + std::string(1, quote) + " and not closed on its line");
      }
      if (peek() == '\\' && quote == '"') {
        ++position_;
        result += escaped();
      } else {
        result += peek();
      }
    }
    ++position_;
    return result;
  }

  /// What the escape means whose letter comes next; goes to its last character.
  std::string escaped() {
    const char letter = peek();
    if (const std::size_t i = escape_letters.find(letter); i != std::string_view::npos) {
      return {escaped_characters[i]};
    }
    const std::size_t digits = letter == 'u' ? 4 : letter == 'U' ? 8 : 0;
    const std::string_view hex = text_.substr(std::min(position_ + 1, text_.size()), digits);
    std::uint32_t code = 0;
    const auto [end, error] = std::from_chars(hex.data(), hex.data() + hex.size(), code, 16);
    const bool is_whole = end == hex.data() + digits && error == std::errc{};
    const bool is_surrogate = code >= 0xd800 && code < 0xe000;
    if (digits == 0 || !is_whole || code == 0 || is_surrogate || code > 0x10ffff) {
      fail("'\\" + std::string(1, letter) +
           "' is no escape that can be read (a backslash itself is "
           "written \\\\, or between single quotes)");
    }
    position_ += digits;
    return utf8(code);
  }

  std::string_view text_;
  std::size_t position_ = 0;
};

}  // namespace

std::vector<CLI::ConfigItem> ConfigFile::from_config(std::istream& input) const {
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
  const bool is_binary = std::any_of(text.begin(), text.end(), [](unsigned char c) {
    return is_control(c) && c != '\n' && c != '\r' && c != '\t';
  });
  if (is_binary || text.starts_with("\xef\xbb\xbf")) {
    throw InputError(
        "not a TOML file of 'key = value' lines (a binary file, or text after a byte order mark)");
  }
  return Parser(text).parse();
}

std::string toml_string(const std::string& text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string result = "\"";
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (const std::size_t i = escaped_characters.find(c); i != std::string_view::npos) {
      result += {'\\', escape_letters[i]};
    } else if (is_control(code)) {
      result += std::string("\\u00") + digits[code / 16] + digits[code % 16];
    } else {
      result += c;
    }
  }
  return result + '"';
}

}  // namespace dnn
