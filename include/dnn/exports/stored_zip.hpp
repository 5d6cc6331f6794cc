#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace dnn {

/// A ZIP archive whose members are stored as they are, with ZIP64's fields where a size or place is
/// beyond 32 bits. The members' bytes are not copied. The same members give the same bytes: all
/// have the time 1980-01-01 00:00.
class StoredZip {
 public:
  /// Adds a member of these pieces, one after the other, which must outlive the archive. `name` is
  /// ASCII.
  void add(const std::string& name, const std::vector<std::span<const std::byte>>& pieces);

  /// The archive, one piece after the other; valid as long as this object, which takes no more
  /// members.
  [[nodiscard]] std::vector<std::span<const std::byte>> finish();

 private:
  struct Member {
    std::string name;
    std::uint32_t crc = 0;
    std::uint64_t size = 0;
    std::uint64_t place = 0;  ///< of its header in the archive
    std::string header;
    std::vector<std::span<const std::byte>> pieces;
  };
  [[nodiscard]] std::string directory() const;

  std::vector<Member> members_;
  std::uint64_t size_ = 0;
  std::string directory_;
};

/// CRC-32 of IEEE 802.3 of bytes behind those of `crc` (0: none).
[[nodiscard]] std::uint32_t crc32_of(std::span<const std::byte> bytes, std::uint32_t crc = 0);

}  // namespace dnn
