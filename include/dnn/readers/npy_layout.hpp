#pragma once

// Elements of an array file brought into the order in which the trainer reads them.

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "dnn/data/bytes.hpp"

namespace dnn {

/// How the elements of an array lie in a file.
struct NpyLayout {
  std::size_t element_bytes = 1;
  std::size_t unit_bytes = 1;  ///< what is swapped as one: an element, or a character of its text
  bool swapped = false;        ///< the other byte order than the machine's
  bool fortran = false;        ///< the first index runs fastest
  bool half = false;           ///< float16, to be turned into float
};

/// `elements` in C order, in the machine's byte order, aligned to their units, float16 as float:
/// the same bytes where they already are, else a copy. `origin` names them where memory is short
/// (InputError).
[[nodiscard]] Bytes in_native_layout(const Bytes& elements, const NpyLayout& layout,
                                     std::span<const std::size_t> shape, const std::string& origin);

}  // namespace dnn
