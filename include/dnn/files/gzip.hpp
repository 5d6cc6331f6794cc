#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "dnn/data/bytes.hpp"
#include "dnn/files/growing_bytes.hpp"

namespace dnn {

/// Whether the contents begin like gzip data.
[[nodiscard]] bool looks_like_gzip(std::span<const std::byte> contents);

/// The inflated form of the gzip data in `compressed`, of all members one after the other. By zlib,
/// since libarchive does not compare gzip's checksum. `origin` names the data in errors: InputError
/// for truncated or corrupt data, for empty data, and for more than `available` memory.
[[nodiscard]] Bytes inflate_gzip(
    std::span<const std::byte> compressed, const std::string& origin,
    const MemoryProbe& available = [] { return available_memory(); });

}  // namespace dnn
