#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "dnn/core/error.hpp"

namespace dnn {

/// The file format around what the trainer saves: what it is, how long its two parts are, and a
/// checksum over everything, so that nothing is parsed before the file is known to be whole.
///
/// Note [Container format] (little-endian)
///
///     offset  bytes  content
///     0       8      magic, which says what kind of file it is
///     8       4      version of that kind's contents
///     12      4      0
///     16      8      length of the description
///     24      8      length of the parameters
///     32      32     SHA-256 of bytes 0 to 31, the description and the parameters
///     64      ...    description, then parameters
struct Container {
  /// A kind of file, its name in messages, and the newest version that this program reads (from 1).
  struct Kind {
    std::array<char, 8> magic;
    const char* name;
    std::uint32_t newest_version;
  };
  static constexpr Kind model{{'D', 'N', 'N', 'M', 'O', 'D', 'E', 'L'}, "model", 1};
  static constexpr Kind checkpoint{{'D', 'N', 'N', 'C', 'K', 'P', 'T', '\n'}, "checkpoint", 3};
  static constexpr Kind part{{'D', 'N', 'N', 'C', 'P', 'A', 'R', 'T'}, "part of a checkpoint", 1};

  std::string description;
  std::vector<std::byte> parameters;
};

/// A file of a newer version of the program: nothing is wrong with it.
class NewerVersionError : public InputError {
 public:
  using InputError::InputError;
};

/// Writes a container atomically; its parameters are the `pieces`, one after the other. Returns the
/// checksum. Throws FileError.
std::string write_container(const std::string& path, const Container::Kind& kind,
                            const std::string& description,
                            const std::vector<std::span<const std::byte>>& pieces,
                            std::uint32_t version = 1);

/// A container's file, found to be whole. It is read, not mapped: a disk that fails is an error
/// then, not a signal.
class ContainerReader {
 public:
  /// Throws FileError, or InputError for a file that is no container of this kind, is of a newer
  /// version, truncated or damaged. Allocates nothing that the file's own size does not cover.
  ContainerReader(const std::string& path, const Container::Kind& kind);
  ContainerReader(const ContainerReader&) = delete;
  ContainerReader& operator=(const ContainerReader&) = delete;
  ~ContainerReader();

  /// Whether the file at `path` begins as containers of this kind do; it may be damaged all the
  /// same. Throws FileError, or InputError for what is no regular file.
  [[nodiscard]] static bool begins_as(const std::string& path, const Container::Kind& kind);

  [[nodiscard]] std::uint32_t version() const { return version_; }
  [[nodiscard]] const std::string& description() const { return description_; }
  [[nodiscard]] std::size_t parameters_length() const { return parameters_length_; }
  /// 64 hexadecimal digits.
  [[nodiscard]] const std::string& checksum() const { return checksum_; }

  /// Bytes of the parameters, from `offset` on. Throws FileError.
  void read(std::size_t offset, std::span<std::byte> bytes) const;

 private:
  class File;
  std::unique_ptr<File> file_;
  std::uint32_t version_ = 0;
  std::string description_;
  std::size_t parameters_length_ = 0;
  std::string checksum_;
};

/// Reads a container of a kind as ContainerReader does.
[[nodiscard]] Container read_container(const std::string& path, const Container::Kind& kind);

/// The same, then reads the file back; removes it where it is not what was written, and throws
/// FileError or InputError.
std::string write_container_checked(const std::string& path, const Container::Kind& kind,
                                    const std::string& description,
                                    const std::vector<std::span<const std::byte>>& pieces,
                                    std::uint32_t version = 1);

/// The checksum of the container at `path`, after checking that the file is whole.
[[nodiscard]] std::string verify_container(const std::string& path, const Container::Kind& kind);

}  // namespace dnn
