#include "dnn/files/utf8_conversion.hpp"

#include <fmt/format.h>
#include <iconv.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string_view>

#include "dnn/core/error.hpp"

namespace dnn {

namespace {

/// A code unit, from any address and in either byte order.
template <class Unit>
Unit load(const char* from, bool swapped) {
  Unit unit = 0;
  std::memcpy(&unit, from, sizeof unit);
  if constexpr (sizeof unit == 2) {
    return swapped ? __builtin_bswap16(unit) : unit;
  } else {
    return swapped ? __builtin_bswap32(unit) : unit;
  }
}

/// Bytes of UTF-8 that `text` becomes, at most.
std::size_t utf8_size(std::string_view text, const Encoding& encoding) {
  const bool swapped = encoding.order != std::endian::native;
  std::size_t bytes = 0;
  if (encoding.unit == 1) {
    for (const char byte : text) {
      const auto unit = static_cast<unsigned char>(byte);
      bytes += unit < 0x80 ? 1 : unit < 0xa0 ? 3 : 2;  // Windows-1252: above U+07FF at 0x80
    }
  } else if (encoding.unit == 2) {
    for (std::size_t i = 0; i + 2 <= text.size(); i += 2) {
      const auto unit = load<std::uint16_t>(text.data() + i, swapped);
      const bool surrogate = (unit & 0xf800U) == 0xd800U;  // a pair becomes 4 bytes
      bytes += unit < 0x80 ? 1 : unit < 0x800 || surrogate ? 2 : 3;
    }
  } else {
    for (std::size_t i = 0; i + 4 <= text.size(); i += 4) {
      const auto unit = load<std::uint32_t>(text.data() + i, swapped);
      bytes += unit < 0x80 ? 1 : unit < 0x800 ? 2 : unit < 0x10000 ? 3 : 4;
    }
  }
  return bytes;
}

/// The library's converter to UTF-8, closed at the end of its scope.
class Converter {
 public:
  Converter(const Encoding& encoding, const std::string& origin)
      : handle_(::iconv_open("UTF-8", encoding.iconv_name)) {
    if (handle_ == reinterpret_cast<iconv_t>(-1)) {
      throw InputError(
          fmt::format("{}: {} text, which the C library of this host cannot convert; "
                      "save the file as UTF-8",
                      origin, encoding.name));
    }
  }
  ~Converter() { ::iconv_close(handle_); }
  Converter(const Converter&) = delete;
  Converter& operator=(const Converter&) = delete;

  iconv_t handle() const { return handle_; }

 private:
  iconv_t handle_;
};

/// Throws what iconv's error `reason` at byte `offset` of the file means.
[[noreturn]] void report_invalid(int reason, const Encoding& encoding, std::size_t offset,
                                 const std::string& origin) {
  if (reason == EINVAL) {
    throw InputError(fmt::format(
        "{}: the {} text ends inside a character, at byte offset {}; copy the file again", origin,
        encoding.name, offset));
  }
  if (reason != EILSEQ) {
    throw std::logic_error("to_utf8: iconv needs more room than its text can");
  }
  throw InputError(fmt::format("{}: invalid {} text at byte offset {}{}; save the file as UTF-8",
                               origin, encoding.name, offset,
                               encoding.unit == 1 ? ", and no UTF-8 either" : ""));
}

}  // namespace

Bytes to_utf8(const Bytes& contents, std::size_t begin, const Encoding& encoding,
              const std::string& origin) {
  const std::string_view text =
      std::string_view(reinterpret_cast<const char*>(contents.view.data()), contents.size())
          .substr(begin);
  const Converter converter(encoding, origin);
  const std::size_t size = utf8_size(text, encoding);
  const std::shared_ptr<char[]> buffer(new char[size]);
  char* in = const_cast<char*>(text.data());  // iconv only reads it
  char* out = buffer.get();
  std::size_t in_left = text.size();
  std::size_t out_left = size;
  if (::iconv(converter.handle(), &in, &in_left, &out, &out_left) == static_cast<std::size_t>(-1)) {
    report_invalid(errno, encoding, contents.size() - in_left, origin);
  }
  const std::string_view converted(buffer.get(), size - out_left);
  if (const std::size_t nul = converted.find('\0'); nul != std::string_view::npos) {
    throw InputError(fmt::format(
        "{}: the {} text holds the character NUL (byte offset {} after conversion to UTF-8), as "
        "only binary files do",
        origin, encoding.name, nul));
  }
  return {std::as_bytes(std::span(converted)), buffer, {}, 0};
}

}  // namespace dnn
