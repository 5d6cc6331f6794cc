#include "dnn/readers/npy_array.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <string_view>

#include "dnn/core/error.hpp"
#include "dnn/data/number.hpp"
#include "dnn/readers/npy_layout.hpp"
#include "dnn/readers/utf8.hpp"

namespace dnn {

namespace {

constexpr std::string_view magic = "\x93NUMPY";

[[noreturn]] void fail(const std::string& origin, const std::string& what) {
  throw InputError(fmt::format("{}: {}", origin, what));
}

/// The header's dictionary, and where it ends in the file.
struct Header {
  std::string_view text;
  std::size_t end = 0;
};

Header header_of(const Bytes& file, const std::string& origin) {
  if (!looks_like_npy(file.view) || file.size() < 12) {
    fail(origin, "not an NPY file (no NUMPY magic), or truncated");
  }
  const int version = std::to_integer<int>(file.view[6]);
  const std::size_t length_bytes = version == 1 ? 2 : 4;
  std::size_t length = 0;
  for (std::size_t i = length_bytes; i-- > 0;) {
    length = length << 8 | std::to_integer<std::size_t>(file.view[8 + i]);
  }
  const std::size_t start = 8 + length_bytes;
  if (version < 1 || version > 3 || start + length > file.size()) {
    fail(origin, "truncated or corrupt NPY header");
  }
  return {{reinterpret_cast<const char*>(file.view.data()) + start, length}, start + length};
}

/// The text after 'key': in the header's dictionary, up to the value's end.
std::string_view value_of(std::string_view header, std::string_view key,
                          const std::string& origin) {
  const std::string quoted = "'" + std::string(key) + "'";
  const std::size_t at = header.find(quoted);
  const std::size_t colon = at == std::string_view::npos ? at : header.find(':', at);
  if (colon == std::string_view::npos) {
    fail(origin, fmt::format("corrupt NPY header (no {})", quoted));
  }
  return trim(header.substr(colon + 1));
}

std::vector<std::size_t> shape_of(std::string_view text, const std::string& origin) {
  std::vector<std::size_t> shape;
  const std::size_t close = text.find(')');
  if (!text.starts_with('(') || close == std::string_view::npos) {
    fail(origin, "corrupt NPY header (shape)");
  }
  text = text.substr(1, close - 1);
  while (!trim(text).empty()) {
    const std::size_t comma = text.find(',');
    const auto extent = parse_integer(text.substr(0, comma));
    if (!extent || *extent < 0) {
      fail(origin, "corrupt NPY header (shape)");
    }
    shape.push_back(static_cast<std::size_t>(*extent));
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
  }
  return shape;
}

/// Sets the array's type from a description such as "<f4", and tells how its elements lie.
NpyLayout read_type(std::string_view descr, NpyArray& array) {
  static const std::map<std::string_view, ElementType> numbers = {
      {"u1", ElementType::u8},  {"b1", ElementType::u8},  {"i1", ElementType::i8},
      {"u2", ElementType::u16}, {"i2", ElementType::i16}, {"u4", ElementType::u32},
      {"i4", ElementType::i32}, {"u8", ElementType::u64}, {"i8", ElementType::i64},
      {"f2", ElementType::f32}, {"f4", ElementType::f32}, {"f8", ElementType::f64}};
  NpyLayout layout;
  const bool has_order = !descr.empty() && std::string_view("<>|=").find(descr[0]) != descr.npos;
  const std::string_view type = descr.substr(has_order ? 1 : 0);
  layout.swapped = descr.starts_with('>');
  if (const auto found = numbers.find(type); found != numbers.end()) {
    array.type = found->second;
    layout.half = type == "f2";
    layout.element_bytes = layout.half ? 2 : element_size(array.type);
    layout.unit_bytes = layout.element_bytes;
    return layout;
  }
  const bool is_utf32 = type.starts_with('U');
  const auto length = type.empty() ? std::nullopt : parse_integer(type.substr(1));
  constexpr std::int64_t longest = 1 << 20;
  if ((is_utf32 || type.starts_with('S')) && length && *length >= 1 && *length <= longest) {
    array.text = is_utf32 ? NpyArray::Text::utf32 : NpyArray::Text::bytes;
    layout.unit_bytes = is_utf32 ? 4 : 1;
    layout.element_bytes = layout.unit_bytes * static_cast<std::size_t>(*length);
    array.text_bytes = layout.element_bytes;
    return layout;
  }
  if (type.starts_with('O')) {
    fail(array.origin,
         "Python objects cannot be read; save numbers as a.astype('<f4'), text as a.astype(str)");
  }
  fail(array.origin, fmt::format("elements of type {} cannot be read; save them as numbers of 1 to "
                                 "8 bytes (a.astype('<f4'))",
                                 in_quotes(descr)));
}

/// The bytes of an array of elements of so many bytes. Throws InputError for extents whose product
/// is no std::size_t, even if another extent is 0.
std::size_t bytes_of(std::size_t element, const NpyArray& array) {
  std::size_t bytes = element;
  bool empty = false;
  for (const std::size_t extent : array.shape) {
    empty = empty || extent == 0;
    if (__builtin_mul_overflow(bytes, std::max<std::size_t>(extent, 1), &bytes)) {
      fail(array.origin, "corrupt NPY header (shape)");
    }
  }
  return empty ? 0 : bytes;
}

}  // namespace

bool looks_like_npy(std::span<const std::byte> contents) {
  return contents.size() >= magic.size() &&
         std::memcmp(contents.data(), magic.data(), magic.size()) == 0;
}

std::size_t NpyArray::count() const {
  std::size_t product = 1;
  for (const std::size_t extent : shape) {
    product *= extent;
  }
  return product;
}

std::string NpyArray::text_at(std::size_t index) const {
  const auto element = elements.view.subspan(index * text_bytes, text_bytes);
  std::string result;
  if (text == Text::bytes) {
    result.assign(reinterpret_cast<const char*>(element.data()), element.size());
    result.erase(std::min(result.find_last_not_of('\0') + 1, result.size()));
    return result;
  }
  for (std::size_t at = 0; at < element.size(); at += 4) {
    std::uint32_t c = 0;
    std::memcpy(&c, element.data() + at, 4);
    if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) {
      fail(origin,
           fmt::format("corrupt: element {} holds {:#x}, which is no character", index + 1, c));
    }
    if (c != 0) {
      append_utf8(result, c);
    }
  }
  return result;
}

NpyArray parse_npy(const Bytes& file, const std::string& origin) {
  NpyArray array;
  array.origin = origin;
  const Header header = header_of(file, origin);
  const std::string_view descr = value_of(header.text, "descr", origin);
  const std::size_t end_quote = descr.find('\'', 1);
  if (!descr.starts_with('\'') || end_quote == std::string_view::npos) {
    fail(origin,
         "a structured array (a table with named columns) cannot be read; save a plain one: "
         "numpy.lib.recfunctions.structured_to_unstructured(a)");
  }
  NpyLayout layout = read_type(descr.substr(1, end_quote - 1), array);
  array.shape = shape_of(value_of(header.text, "shape", origin), origin);
  const std::string_view order = value_of(header.text, "fortran_order", origin);
  if (!order.starts_with("False") && !order.starts_with("True")) {
    fail(origin, "corrupt NPY header (fortran_order)");
  }
  layout.fortran = order.starts_with("True") && array.text == NpyArray::Text::none;
  const std::size_t bytes = bytes_of(layout.element_bytes, array);
  const std::size_t held = file.size() - header.end;
  if (held < bytes) {
    fail(origin, fmt::format("truncated: the header promises {} bytes of elements, {} are there",
                             bytes, held));
  }
  if (held > bytes) {
    fail(origin,
         fmt::format("corrupt: {} bytes follow the {} bytes of elements that the header promises",
                     held - bytes, bytes));
  }
  array.elements = in_native_layout(file.part(header.end, bytes), layout, array.shape, origin);
  return array;
}

}  // namespace dnn
