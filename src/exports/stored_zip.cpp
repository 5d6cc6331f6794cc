#include "dnn/exports/stored_zip.hpp"

#include <array>
#include <utility>

namespace dnn {

// The format: PKWARE's APPNOTE.TXT, sections 4.3 and 4.5.3.

namespace {

constexpr std::uint64_t beyond = 0xffffffff;  // stands for a number in ZIP64's field
constexpr std::uint16_t no_time = 0;
constexpr std::uint16_t first_date = (1 << 5) | 1;  // 1980-01-01

template <class T>
void put(std::string& text, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    text += static_cast<char>(value >> (8 * i) & 0xff);
  }
}

std::uint32_t or_beyond(std::uint64_t value) {
  return static_cast<std::uint32_t>(value < beyond ? value : beyond);
}

/// ZIP64's extra field of those values that 32 bits cannot hold.
std::string extra_field(const std::vector<std::uint64_t>& values) {
  std::string body;
  for (const std::uint64_t value : values) {
    if (value >= beyond) {
      put<std::uint64_t>(body, value);
    }
  }
  if (body.empty()) {
    return body;
  }
  std::string field;
  put<std::uint16_t>(field, 1);
  put<std::uint16_t>(field, static_cast<std::uint16_t>(body.size()));
  return field + body;
}

/// What the header of a member and its entry in the directory have in common.
void put_common(std::string& text, bool is_large, std::uint32_t crc, std::uint64_t size,
                const std::string& name, const std::string& extra) {
  put<std::uint16_t>(text, is_large ? 45 : 20);  // the version that reads it
  put<std::uint16_t>(text, 0);                   // flags
  put<std::uint16_t>(text, 0);                   // stored
  put<std::uint16_t>(text, no_time);
  put<std::uint16_t>(text, first_date);
  put<std::uint32_t>(text, crc);
  put<std::uint32_t>(text, or_beyond(size));
  put<std::uint32_t>(text, or_beyond(size));
  put<std::uint16_t>(text, static_cast<std::uint16_t>(name.size()));
  put<std::uint16_t>(text, static_cast<std::uint16_t>(extra.size()));
}

constexpr std::array<std::uint32_t, 256> crc_table = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) {
      value = (value >> 1) ^ ((value & 1) != 0 ? 0xedb88320U : 0U);
    }
    table[i] = value;
  }
  return table;
}();

}  // namespace

std::uint32_t crc32_of(std::span<const std::byte> bytes, std::uint32_t crc) {
  crc = ~crc;
  for (const std::byte byte : bytes) {
    crc = (crc >> 8) ^ crc_table[(crc ^ static_cast<std::uint32_t>(byte)) & 0xff];
  }
  return ~crc;
}

void StoredZip::add(const std::string& name,
                    const std::vector<std::span<const std::byte>>& pieces) {
  Member member;
  member.name = name;
  member.place = size_;
  member.pieces = pieces;
  for (const auto& piece : pieces) {
    member.crc = crc32_of(piece, member.crc);
    member.size += piece.size();
  }
  const std::string extra = extra_field({member.size, member.size});
  put<std::uint32_t>(member.header, 0x04034b50);
  put_common(member.header, !extra.empty(), member.crc, member.size, name, extra);
  member.header += name + extra;
  size_ += member.header.size() + member.size;
  members_.push_back(std::move(member));
}

std::string StoredZip::directory() const {
  std::string text;
  for (const Member& member : members_) {
    const std::string extra = extra_field({member.size, member.size, member.place});
    put<std::uint32_t>(text, 0x02014b50);
    put<std::uint16_t>(text, 45);  // the version that wrote it
    put_common(text, !extra.empty(), member.crc, member.size, member.name, extra);
    put<std::uint16_t>(text, 0);  // no comment
    put<std::uint16_t>(text, 0);  // the first disk
    put<std::uint16_t>(text, 0);
    put<std::uint32_t>(text, 0);
    put<std::uint32_t>(text, or_beyond(member.place));
    text += member.name + extra;
  }
  const std::uint64_t entries = members_.size();
  const std::uint64_t bytes = text.size();
  if (size_ >= beyond) {  // ZIP64's end of the directory, and where it is
    put<std::uint32_t>(text, 0x06064b50);
    put<std::uint64_t>(text, 44);
    put<std::uint16_t>(text, 45);
    put<std::uint16_t>(text, 45);
    put<std::uint32_t>(text, 0);
    put<std::uint32_t>(text, 0);
    for (const std::uint64_t value : {entries, entries, bytes, size_}) {
      put<std::uint64_t>(text, value);
    }
    put<std::uint32_t>(text, 0x07064b50);
    put<std::uint32_t>(text, 0);
    put<std::uint64_t>(text, size_ + bytes);
    put<std::uint32_t>(text, 1);
  }
  put<std::uint32_t>(text, 0x06054b50);
  put<std::uint32_t>(text, 0);
  put<std::uint16_t>(text, static_cast<std::uint16_t>(entries));
  put<std::uint16_t>(text, static_cast<std::uint16_t>(entries));
  put<std::uint32_t>(text, static_cast<std::uint32_t>(bytes));
  put<std::uint32_t>(text, or_beyond(size_));
  put<std::uint16_t>(text, 0);
  return text;
}

std::vector<std::span<const std::byte>> StoredZip::finish() {
  directory_ = directory();
  std::vector<std::span<const std::byte>> pieces;
  for (const Member& member : members_) {
    pieces.push_back(std::as_bytes(std::span(member.header)));
    pieces.insert(pieces.end(), member.pieces.begin(), member.pieces.end());
  }
  pieces.push_back(std::as_bytes(std::span(directory_)));
  return pieces;
}

}  // namespace dnn
