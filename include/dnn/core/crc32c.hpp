#pragma once

#include <cstdint>
#include <string_view>

namespace dnn {

/// The CRC-32C (Castagnoli) of the bytes, as RFC 3720, appendix B.4, has it.
[[nodiscard]] std::uint32_t crc32c(std::string_view bytes);

}  // namespace dnn
