#pragma once

// What a file holds once compression and archives around it are taken off.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "dnn/data/bytes.hpp"

namespace dnn {

/// The contents of the file or stream at `path`, decompressed where they are gzip, xz, zstd, bzip2
/// or lz4 data (by their contents, whatever the name); they may be an archive. Plain files are
/// mapped, not copied. Throws FileError, or InputError for empty files, for truncated or corrupt
/// data, and for more data than fit into memory.
[[nodiscard]] Bytes open_contents(const std::string& path);

/// The file `wanted` of an archive, decompressed; empty `wanted`: its only file. Throws InputError
/// where there are several, with their names and what to do.
[[nodiscard]] Bytes unpack_file(const Bytes& archive, const std::string& origin,
                                const std::string& wanted = {});

/// Whether reading the file at `path` takes compression or an archive off it. Throws FileError, or
/// InputError for an empty file.
[[nodiscard]] bool is_packed(const std::string& path);

/// open_contents, and the only file in it where that is an archive.
[[nodiscard]] Bytes read_contents(const std::string& path);

/// The first `count` bytes of the contents of the file at `path`, fewer of a shorter one. No more
/// of it is decompressed than that takes, unless it is compressed twice. Throws FileError, or
/// InputError for an empty file and for data that are corrupt from the beginning.
[[nodiscard]] std::vector<std::byte> first_bytes(const std::string& path, std::size_t count);

/// `names` as messages list them: in quotes, no more than the first few hundred characters.
[[nodiscard]] std::string list_of(const std::vector<std::string>& names);

}  // namespace dnn
