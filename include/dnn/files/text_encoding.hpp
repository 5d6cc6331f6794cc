#pragma once

#include <string>

#include "dnn/data/bytes.hpp"
#include "dnn/data/reading_team.hpp"

namespace dnn {

/// Text as UTF-8, and what was done to get it.
struct DecodedText {
  Bytes text;        ///< UTF-8 without a byte-order mark and without NUL
  std::string note;  ///< the encoding found, one line for the user; empty if the text was UTF-8
};

/// The text in `contents` as UTF-8; `origin` names the file in note and errors. UTF-8 and ASCII
/// share the memory of `contents`. UTF-16 and UTF-32 are known by their byte-order mark, UTF-16
/// without one by its zero bytes. Other text that is not UTF-8 is read as Windows-1252 if bytes
/// 0x80 to 0x9f occur, else as ISO-8859-1. Line ends stay as they are. Throws InputError, with the
/// byte offset, for invalid text and for binary files. Collective over `team`, whose members have
/// the same contents: each looks at its part of them, and all find the same.
[[nodiscard]] DecodedText decode_text(const Bytes& contents, const std::string& origin,
                                      const ReadingTeam& team = {});

}  // namespace dnn
