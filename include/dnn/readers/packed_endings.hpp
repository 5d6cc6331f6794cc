#pragma once

#include <array>

namespace dnn {

/// What the names of compressed files end as.
inline constexpr std::array packed_endings = {".gz", ".xz", ".zst", ".bz2", ".lz4", ".zip"};

}  // namespace dnn
