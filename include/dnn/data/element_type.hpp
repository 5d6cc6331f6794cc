#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <utility>

namespace dnn {

/// The types in which features lie in memory or in a file, in the machine's byte order.
enum class ElementType { u8, i8, u16, i16, u32, i32, u64, i64, f32, f64 };

/// Calls `visit` with a value-initialized element of the C++ type that `type` stands for.
template <class Visitor>
decltype(auto) visit_element(ElementType type, Visitor&& visit) {
  switch (type) {
    case ElementType::u8:
      return std::forward<Visitor>(visit)(std::uint8_t{});
    case ElementType::i8:
      return std::forward<Visitor>(visit)(std::int8_t{});
    case ElementType::u16:
      return std::forward<Visitor>(visit)(std::uint16_t{});
    case ElementType::i16:
      return std::forward<Visitor>(visit)(std::int16_t{});
    case ElementType::u32:
      return std::forward<Visitor>(visit)(std::uint32_t{});
    case ElementType::i32:
      return std::forward<Visitor>(visit)(std::int32_t{});
    case ElementType::u64:
      return std::forward<Visitor>(visit)(std::uint64_t{});
    case ElementType::i64:
      return std::forward<Visitor>(visit)(std::int64_t{});
    case ElementType::f32:
      return std::forward<Visitor>(visit)(float{});
    case ElementType::f64:
      return std::forward<Visitor>(visit)(double{});
  }
  throw std::logic_error("visit_element: unknown type");
}

/// Bytes of one element.
[[nodiscard]] inline std::size_t element_size(ElementType type) {
  return visit_element(type, [](auto element) { return sizeof(element); });
}

}  // namespace dnn
