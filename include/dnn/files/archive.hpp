#pragma once

// Compressed data and archives, by libarchive (gzip data: gzip.hpp).

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dnn/data/bytes.hpp"
#include "dnn/files/growing_bytes.hpp"

namespace dnn {

/// What the contents are compressed as, by their first bytes: "xz", "zstd", "bzip2" or "lz4"; empty
/// where they are none of these.
[[nodiscard]] std::string_view compression_of(std::span<const std::byte> contents);

/// The decompressed form of such contents. `origin` names them in errors: InputError for truncated
/// or corrupt data, for empty data, and for more than `available` memory.
[[nodiscard]] Bytes decompress(
    const Bytes& compressed, const std::string& origin,
    const MemoryProbe& available = [] { return available_memory(); });

/// The first `count` bytes of such contents, or of the first file of an archive, hidden ones aside;
/// fewer where they hold fewer. `format` as ArchiveReader has it. Throws InputError for corrupt
/// data.
[[nodiscard]] std::vector<std::byte> first_bytes_of(const Bytes& packed, std::string_view format,
                                                    const std::string& origin, std::size_t count);

/// Which archive the contents begin like: "zip" or "tar"; empty: none.
[[nodiscard]] std::string_view archive_format_of(std::span<const std::byte> contents);
/// Whether the contents begin like a zip or tar archive.
[[nodiscard]] bool looks_like_archive(std::span<const std::byte> contents);

/// The paths of all files in an archive but hidden ones (".DS_Store", "__MACOSX/..."), in its
/// order. Throws InputError for a truncated or corrupt archive, and where two have one path.
[[nodiscard]] std::vector<std::string> member_names(const Bytes& archive,
                                                    const std::string& origin);

/// The contents of the member `name` of an archive: a part of the archive's own bytes where they
/// are stored as they are. Throws InputError where there is no such member, for corrupt and for
/// encrypted data, and for more than `available` memory.
[[nodiscard]] Bytes read_member(
    const Bytes& archive, const std::string& name, const std::string& origin,
    const MemoryProbe& available = [] { return available_memory(); });

}  // namespace dnn
