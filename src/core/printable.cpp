#include "dnn/core/printable.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

namespace dnn {

namespace {

/// One character of UTF-8.
struct Character {
  std::uint32_t code = 0;
  std::size_t bytes = 0;  ///< 0: no UTF-8
};

Character first_character(std::string_view text) {
  const auto byte = [&text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(0);
  const std::size_t bytes = lead < 0x80   ? 1
                            : lead < 0xc2 ? 0
                            : lead < 0xe0 ? 2
                            : lead < 0xf0 ? 3
                            : lead < 0xf5 ? 4
                                          : 0;
  if (bytes == 0 || bytes > text.size()) {
    return {};
  }
  std::uint32_t code = bytes == 1 ? lead : lead & (0x7fU >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) {
      return {};
    }
    code = code << 6 | (byte(i) & 0x3fU);
  }
  constexpr std::uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool is_valid =
      code >= least[bytes] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
  return is_valid ? Character{code, bytes} : Character{};
}

bool is_obeyed_by_terminals(std::uint32_t code) {
  const bool is_control =
      code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x2028 || code == 0x2029;
  const bool is_direction = code == 0x061c || code == 0x200e || code == 0x200f ||
                            (code >= 0x202a && code <= 0x202e) ||
                            (code >= 0x2066 && code <= 0x2069);
  return is_control || is_direction;
}

/// `keeps_lines`: line ends and tabs stay as they are.
std::string without_controls(std::string_view text, bool keeps_lines) {
  std::string shown;
  shown.reserve(text.size());
  while (!text.empty()) {
    const Character c = first_character(text);
    if (c.bytes == 0) {
      shown += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[0]));
    } else if (c.code == '\n' || c.code == '\t') {
      shown += keeps_lines ? text.substr(0, 1) : c.code == '\n' ? "\\n" : "\\t";
    } else if (c.code == '\r') {
      shown += "\\r";
    } else if (is_obeyed_by_terminals(c.code)) {
      shown += c.code < 0x80 ? fmt::format("\\x{:02x}", c.code) : fmt::format("\\u{:04x}", c.code);
    } else {
      shown += text.substr(0, c.bytes);
    }
    text.remove_prefix(std::max<std::size_t>(c.bytes, 1));
  }
  return shown;
}

}  // namespace

std::string printable(std::string_view text) {
  return without_controls(text, true);
}

std::string printable_name(std::string_view name) {
  return without_controls(name, false);
}

std::string_view beginning_of(std::string_view text, std::size_t most) {
  if (text.size() <= most) {
    return text;
  }
  constexpr std::size_t longest = 4;  // bytes of a character
  for (std::size_t begin = most - std::min(most, longest - 1); begin < most; ++begin) {
    if (begin + first_character(text.substr(begin)).bytes > most) {
      return text.substr(0, begin);
    }
  }
  return text.substr(0, most);
}

}  // namespace dnn
