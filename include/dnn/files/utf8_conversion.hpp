#pragma once

#include <bit>
#include <cstddef>
#include <string>

#include "dnn/data/bytes.hpp"

namespace dnn {

/// An encoding of text other than UTF-8.
struct Encoding {
  const char* iconv_name;  ///< for the C library
  const char* name;        ///< for the user
  std::size_t unit;        ///< bytes of a code unit: 1, 2 or 4
  std::endian order;       ///< byte order of a code unit
};

inline constexpr Encoding utf16_little{"UTF-16LE", "UTF-16", 2, std::endian::little};
inline constexpr Encoding utf16_big{"UTF-16BE", "UTF-16", 2, std::endian::big};
inline constexpr Encoding utf32_little{"UTF-32LE", "UTF-32", 4, std::endian::little};
inline constexpr Encoding utf32_big{"UTF-32BE", "UTF-32", 4, std::endian::big};
inline constexpr Encoding windows_1252{"CP1252", "Windows-1252", 1, std::endian::native};
inline constexpr Encoding latin_1{"ISO-8859-1", "ISO-8859-1 (Latin-1)", 1, std::endian::native};

/// The text from byte `begin` of `contents` on, converted to UTF-8 in memory of its own. Throws
/// InputError, with the byte offset, for text that `encoding` does not allow and for NUL
/// characters; `origin` names the file.
[[nodiscard]] Bytes to_utf8(const Bytes& contents, std::size_t begin, const Encoding& encoding,
                            const std::string& origin);

}  // namespace dnn
