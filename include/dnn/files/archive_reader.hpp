#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dnn/data/bytes.hpp"
#include "dnn/files/growing_bytes.hpp"

// libarchive's own.
struct archive;
struct archive_entry;

namespace dnn {

/// Reads an archive, or compressed data as an archive of one member, from memory, by libarchive. An
/// InputError names `origin`.
class ArchiveReader {
 public:
  /// Both must outlive the object. `format`: zip, tar, gzip, xz, zstd, bzip2 or lz4.
  ArchiveReader(const Bytes& contents, const std::string& origin, std::string_view format);

  /// Goes to the next member; nullptr after the last one. Throws InputError for corrupt data.
  [[nodiscard]] archive_entry* next();

  /// The contents of the member that next() went to: a part of the archive's bytes where they are
  /// stored as they are. Throws InputError for corrupt data, and where `available` memory ends.
  [[nodiscard]] Bytes read(const MemoryProbe& available);

  /// The first `count` bytes of that member, fewer of a shorter one.
  [[nodiscard]] std::vector<std::byte> read_first(std::size_t count);

  /// Throws InputError unless all of the contents have been read.
  void expect_end() const;

 private:
  struct Free {
    void operator()(archive* a) const;
  };

  /// Of a setting: a warning is that the library was built without this format.
  void check(int status) const;
  [[noreturn]] void fail() const;
  [[nodiscard]] bool is_inside(std::span<const std::byte> block) const;
  void append(GrowingBytes& bytes, std::span<const std::byte> block, std::size_t offset) const;

  const Bytes& contents_;
  const std::string& origin_;
  std::string_view format_;
  std::unique_ptr<archive, Free> archive_;
};

}  // namespace dnn
