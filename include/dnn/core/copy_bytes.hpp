#pragma once

#include <cstddef>
#include <cstring>

namespace dnn {

/// std::memcpy of perhaps no bytes: then the pointers, which memcpy wants to be none but valid
/// ones, may be null, as those of empty arrays are.
inline void copy_bytes(void* to, const void* from, std::size_t bytes) {
  if (bytes > 0) {
    std::memcpy(to, from, bytes);
  }
}

}  // namespace dnn
