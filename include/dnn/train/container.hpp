#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace dnn {

/// The file format around a saved model: what it is, how long its two parts are, and a checksum
/// over everything, so that nothing is parsed before the file is known to be whole.
///
/// Note [Container format, version 1] (little-endian)
///
///     offset  bytes  content
///     0       8      magic "DNNMODEL"
///     8       4      format version
///     12      4      0
///     16      8      length of the description
///     24      8      length of the parameters
///     32      32     SHA-256 of bytes 0 to 31, the description and the parameters
///     64      ...    description, then parameters
struct Container {
  std::string description;
  std::vector<std::byte> parameters;
};

/// Writes the container atomically. Throws FileError.
void write_container(const std::string& path, const std::string& description,
                     std::span<const std::byte> parameters);

/// Reads a container. Throws FileError, or InputError for a file that is none, is of a newer
/// version, truncated or damaged; allocates nothing that the file's own size does not cover.
[[nodiscard]] Container read_container(const std::string& path);

}  // namespace dnn
