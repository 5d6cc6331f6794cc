#include "dnn/files/text_encoding.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/locale/utf.hpp>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "dnn/core/error.hpp"
#include "dnn/data/mapped_access.hpp"
#include "dnn/files/utf8_conversion.hpp"

namespace dnn {

namespace {

struct Mark {
  std::string_view bytes;
  const Encoding* encoding;
};

using namespace std::string_view_literals;
constexpr std::string_view utf8_mark = "\xef\xbb\xbf"sv;
// UTF-32's before UTF-16's, with which the little-endian one begins.
constexpr std::array marks = {Mark{"\xff\xfe\0\0"sv, &utf32_little},
                              Mark{"\0\0\xfe\xff"sv, &utf32_big}, Mark{"\xff\xfe"sv, &utf16_little},
                              Mark{"\xfe\xff"sv, &utf16_big}};

std::string_view as_text(const Bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.view.data()), bytes.size()};
}

Bytes without_utf8_marks(Bytes text) {
  while (as_text(text).starts_with(utf8_mark)) {
    text = text.part(utf8_mark.size(), text.size() - utf8_mark.size());
  }
  return text;
}

/// Whether `byte` is a control character that no text holds.
bool is_binary(char byte) {
  const auto code = static_cast<unsigned char>(byte);
  return code < 0x20 && (code < '\t' || code > '\r');
}

/// The byte order of UTF-16 without a mark, or nothing. Tables hold digits, delimiters and line
/// ends: units with a zero byte, which is always on the same side.
const Encoding* find_utf16(std::string_view text) {
  const std::string_view head = text.substr(0, 4096);
  std::array<std::size_t, 2> zeros{};
  std::array<bool, 2> binary{};
  for (std::size_t i = 0; i < head.size(); ++i) {
    const std::size_t other = i ^ 1U;
    zeros[i % 2] += head[i] == 0 ? 1 : 0;
    binary[i % 2] |= head[i] == 0 && other < head.size() && is_binary(head[other]);
  }
  const auto is_high_byte = [&](std::size_t side) {
    return zeros[side] > 0 && zeros[side] * 16 >= head.size() &&
           zeros[side] >= 8 * zeros[1 - side] && !binary[side];
  };
  return is_high_byte(1) ? &utf16_little : is_high_byte(0) ? &utf16_big : nullptr;
}

/// What a pass over all bytes finds.
struct Scan {
  static constexpr std::size_t none = std::string_view::npos;
  std::size_t ascii_until = none;  ///< everything before it is ASCII
  std::size_t nul = none;          ///< the first zero byte
};

Scan scan_bytes(std::string_view text, Range range) {
  constexpr std::size_t block = 16384;
  Scan scan;
  for (std::size_t begin = range.begin; begin < range.end; begin += block) {
    const std::string_view part = text.substr(begin, std::min(block, range.end - begin));
    unsigned char high = 0;
    unsigned char zero = 0;
    for (const char byte : part) {  // the compiler makes vectors of this
      high |= static_cast<unsigned char>(byte);
      zero |= static_cast<unsigned char>(byte == 0);
    }
    if (high >= 0x80) {
      scan.ascii_until = std::min(scan.ascii_until, begin);
    }
    if (zero != 0) {
      scan.nul = begin + part.find('\0');
      break;
    }
  }
  return scan;
}

/// The offset of the first byte that belongs to no UTF-8 character, of those that begin in a
/// range, where such a character begins unless bytes before are invalid; npos: none.
std::size_t find_invalid_utf8(std::string_view text, Range range) {
  const char* const end = text.data() + text.size();
  const char* const stop = text.data() + range.end;
  const char* next = text.data() + range.begin;
  while (next < stop) {
    std::uint64_t eight = 0;
    if (end - next >= 8) {
      std::memcpy(&eight, next, 8);
      if ((eight & 0x8080808080808080U) == 0) {
        next += 8;
        continue;
      }
    }
    const char* const character = next;
    if (!boost::locale::utf::is_valid_codepoint(
            boost::locale::utf::utf_traits<char>::decode(next, end))) {
      return static_cast<std::size_t>(character - text.data());
    }
  }
  return std::string_view::npos;
}

/// Where the first character begins at or behind `offset`, if all before are valid UTF-8.
std::size_t next_character(std::string_view text, std::size_t offset) {
  constexpr std::size_t longest = 4;
  const auto continues = [](char byte) {
    return (static_cast<unsigned char>(byte) & 0xc0U) == 0x80U;
  };
  std::size_t begin = offset;
  while (begin > 0 && offset - begin < longest && begin < text.size() && continues(text[begin])) {
    --begin;
  }
  const char* next = text.data() + begin;
  if (begin == offset ||
      !boost::locale::utf::is_valid_codepoint(
          boost::locale::utf::utf_traits<char>::decode(next, text.data() + text.size()))) {
    return offset;
  }
  return std::max(offset, static_cast<std::size_t>(next - text.data()));
}

/// What is wrong with a text that is to be UTF-8; the offsets are npos where nothing is.
struct Faults {
  std::size_t nul = Scan::none;
  std::size_t invalid = Scan::none;
};

/// Collective over `team`.
Faults find_faults(const Bytes& contents, const ReadingTeam& team) {
  const std::string_view text = as_text(contents);
  const Range part = part_of(text.size(), team.size(), team.index());
  Faults own;
  for (std::size_t begin = part.begin; begin < part.end && own.nul == Scan::none;) {
    constexpr std::size_t at_a_time = std::size_t{8} << 20;
    const std::size_t end = std::min(part.end, begin + at_a_time);
    const Range some{next_character(text, begin), next_character(text, end)};
    const Scan scan = scan_bytes(text, some);
    own.nul = scan.nul;
    if (scan.ascii_until != Scan::none && own.invalid == Scan::none) {
      own.invalid = find_invalid_utf8(text, {scan.ascii_until, some.end});
    }
    if (!contents.mapped_path.empty()) {
      forget_mapped(text.substr(begin, end - begin));
    }
    begin = end;
  }
  Faults first;
  for (const Faults& faults : team.exchange_value(own)) {
    first.nul = std::min(first.nul, faults.nul);
    first.invalid = std::min(first.invalid, faults.invalid);
  }
  return first;
}

DecodedText converted_text(const Bytes& contents, std::size_t begin, const Encoding& encoding,
                           const std::string& origin) {
  return {without_utf8_marks(to_utf8(contents, begin, encoding, origin)),
          fmt::format("{}: {} text, converted to UTF-8", origin, encoding.name)};
}

}  // namespace

DecodedText decode_text(const Bytes& contents, const std::string& origin, const ReadingTeam& team) {
  const auto marked = std::find_if(marks.begin(), marks.end(), [&](const Mark& mark) {
    return as_text(contents).starts_with(mark.bytes);
  });
  if (marked != marks.end()) {
    return converted_text(contents, marked->bytes.size(), *marked->encoding, origin);
  }
  if (const Encoding* const utf16 = find_utf16(as_text(contents))) {
    return converted_text(contents, 0, *utf16, origin);
  }
  const Bytes unmarked = without_utf8_marks(contents);
  const std::size_t mark = contents.size() - unmarked.size();
  const std::string_view text = as_text(unmarked);
  const auto [nul, invalid] = find_faults(unmarked, team);
  const auto control = invalid == Scan::none ? text.end()  // UTF-8 may hold some
                                             : std::find_if(text.begin(), text.end(), is_binary);
  if (nul != Scan::none || control != text.end()) {
    throw InputError(fmt::format(
        "{}: the file is binary and not NPY (byte offset {} is no text); CSV, LIBSVM and NPY are "
        "told by their contents, IDX files are named by their folder",
        origin, mark + std::min(nul, static_cast<std::size_t>(control - text.begin()))));
  }
  if (invalid == Scan::none) {
    return {unmarked, {}};
  }
  const auto is_windows = [](char byte) {
    return (static_cast<unsigned char>(byte) & 0xe0U) == 0x80U;
  };
  const bool windows = std::any_of(text.begin(), text.end(), is_windows);
  DecodedText decoded = converted_text(contents, mark, windows ? windows_1252 : latin_1, origin);
  decoded.note += fmt::format(" (byte offset {} is no UTF-8)", mark + invalid);
  return decoded;
}

}  // namespace dnn
