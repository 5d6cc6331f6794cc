#include "dnn/readers/npy_layout.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

#include "dnn/core/available_memory.hpp"
#include "dnn/core/copy_bytes.hpp"
#include "dnn/readers/half.hpp"

namespace dnn {

namespace {

/// Calls `visit` with an unsigned number of `bytes` bytes: 1, 2, 4 or 8.
template <class Visitor>
void visit_unit(std::size_t bytes, Visitor&& visit) {
  switch (bytes) {
    case 1:
      return visit(std::uint8_t{});
    case 2:
      return visit(std::uint16_t{});
    case 4:
      return visit(std::uint32_t{});
    default:
      return visit(std::uint64_t{});
  }
}

template <class T>
T swapped(T value) {
  auto bytes = std::bit_cast<std::array<std::byte, sizeof(T)>>(value);
  std::reverse(bytes.begin(), bytes.end());
  return std::bit_cast<T>(bytes);
}

bool needs_reordering(const NpyLayout& layout, std::span<const std::size_t> shape) {
  return layout.fortran && std::count_if(shape.begin(), shape.end(),
                                         [](std::size_t extent) { return extent > 1; }) > 1;
}

/// Where in a sample the feature is that comes `index`-th in C order, in units of samples.
std::size_t fortran_position(std::size_t index, std::span<const std::size_t> extents) {
  // The last extent runs fastest in C order and slowest in Fortran's.
  std::size_t position = 0;
  std::size_t stride = 1;
  for (const std::size_t extent : extents) {
    stride *= extent;
  }
  for (std::size_t d = extents.size(); d-- > 0;) {
    stride /= extents[d];
    position += index % extents[d] * stride;
    index /= extents[d];
  }
  return position;
}

/// Copies the elements, which may be unaligned in the file, sample by sample.
template <class T>
void to_c_order(const std::byte* from, T* to, std::span<const std::size_t> shape) {
  const std::size_t samples = shape[0];
  std::size_t features = 1;
  for (const std::size_t extent : shape.subspan(1)) {
    features *= extent;
  }
  constexpr std::size_t block = 64;  // samples whose rows stay in the cache
  for (std::size_t first = 0; first < samples; first += block) {
    const std::size_t last = std::min(first + block, samples);
    for (std::size_t j = 0; j < features; ++j) {
      const std::byte* const column =
          from + fortran_position(j, shape.subspan(1)) * samples * sizeof(T);
      for (std::size_t i = first; i < last; ++i) {
        std::memcpy(to + i * features + j, column + i * sizeof(T), sizeof(T));
      }
    }
  }
}

}  // namespace

Bytes in_native_layout(const Bytes& elements, const NpyLayout& layout,
                       std::span<const std::size_t> shape, const std::string& origin) {
  const bool reordered = needs_reordering(layout, shape);
  const bool swaps = layout.swapped && layout.unit_bytes > 1;
  const bool aligned =
      reinterpret_cast<std::uintptr_t>(elements.view.data()) % layout.unit_bytes == 0;
  if (elements.size() == 0 || (!reordered && !swaps && !layout.half && aligned)) {
    return elements;
  }
  require_memory(elements.size() * (layout.half ? 3 : 1),
                 origin + ": a copy of the array in C order and this machine's format");
  Bytes result;
  visit_unit(layout.unit_bytes, [&](auto unit) {
    using Unit = decltype(unit);
    std::vector<Unit> copy(elements.size() / sizeof(Unit));
    if (reordered) {
      to_c_order(elements.view.data(), copy.data(), shape);
    } else {
      copy_bytes(copy.data(), elements.view.data(), copy.size() * sizeof(Unit));
    }
    if (swaps) {
      std::transform(copy.begin(), copy.end(), copy.begin(), swapped<Unit>);
    }
    if constexpr (std::is_same_v<Unit, std::uint16_t>) {
      if (layout.half) {
        std::vector<float> wide(copy.size());
        std::transform(copy.begin(), copy.end(), wide.begin(), float_from_half);
        result = Bytes::from(std::move(wide));
        return;
      }
    }
    result = Bytes::from(std::move(copy));
  });
  return result;
}

}  // namespace dnn
