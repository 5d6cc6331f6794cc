#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "dnn/data/bytes.hpp"
#include "dnn/data/element_type.hpp"

namespace dnn {

/// An array as NumPy saves it (.npy), with its elements ready to use: in C order, in the machine's
/// byte order, aligned. Where the file has them so, they stay a part of the file, which may be
/// mapped; else they are a copy.
struct NpyArray {
  enum class Text { none, bytes, utf32 };

  std::string origin;  ///< where it came from, for messages
  std::vector<std::size_t> shape;
  ElementType type = ElementType::f32;  ///< of numbers; float16 has become f32, bool u8
  Text text = Text::none;               ///< whether elements are text instead, and in which form
  std::size_t text_bytes = 0;           ///< of an element that is text; filled up with zeros
  Bytes elements;

  /// The number of elements.
  [[nodiscard]] std::size_t count() const;
  /// Element `index` of an array of text, in UTF-8. Throws InputError for what is no character.
  [[nodiscard]] std::string text_at(std::size_t index) const;
};

/// Whether the contents begin like an .npy file.
[[nodiscard]] bool looks_like_npy(std::span<const std::byte> contents);

/// Reads the contents of an .npy file (format versions 1 to 3): numbers of 1 to 8 bytes, bool and
/// text, of either byte order and either order of elements. Throws InputError for other types and
/// for truncated or corrupt contents.
[[nodiscard]] NpyArray parse_npy(const Bytes& file, const std::string& origin);

}  // namespace dnn
