#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace dnn {

/// The file format around what the trainer saves: what it is, how long its two parts are, and a
/// checksum over everything, so that nothing is parsed before the file is known to be whole.
///
/// Note [Container format, version 1] (little-endian)
///
///     offset  bytes  content
///     0       8      magic, which says what kind of file it is
///     8       4      format version
///     12      4      0
///     16      8      length of the description
///     24      8      length of the parameters
///     32      32     SHA-256 of bytes 0 to 31, the description and the parameters
///     64      ...    description, then parameters
struct Container {
  /// A kind of file, and its name in messages.
  struct Kind {
    std::array<char, 8> magic;
    const char* name;
  };
  static constexpr Kind model{{'D', 'N', 'N', 'M', 'O', 'D', 'E', 'L'}, "model"};
  static constexpr Kind checkpoint{{'D', 'N', 'N', 'C', 'K', 'P', 'T', '\n'}, "checkpoint"};

  std::string description;
  std::vector<std::byte> parameters;
};

/// Writes a container atomically; its parameters are the `pieces`, one after the other. Returns the
/// checksum. Throws FileError.
std::string write_container(const std::string& path, const Container::Kind& kind,
                            const std::string& description,
                            const std::vector<std::span<const std::byte>>& pieces);

/// Reads a container of a kind. Throws FileError, or InputError for a file that is none, is of a
/// newer version, truncated or damaged; allocates nothing that the file's own size does not cover.
[[nodiscard]] Container read_container(const std::string& path, const Container::Kind& kind);

/// The checksum of the container at `path` (64 hexadecimal digits), after checking that the file is
/// whole as read_container does, in no memory of its own.
[[nodiscard]] std::string verify_container(const std::string& path, const Container::Kind& kind);

}  // namespace dnn
