#include "dnn/files/archive.hpp"

#include <archive_entry.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <unordered_set>

#include "dnn/core/error.hpp"
#include "dnn/files/archive_reader.hpp"

namespace dnn {

namespace {

struct Magic {
  std::string_view bytes;
  std::size_t offset;
  std::string_view format;
};

using namespace std::string_view_literals;

constexpr std::array compressions = {
    Magic{"\xfd\x37zXZ\0"sv, 0, "xz"},     Magic{"\x28\xb5\x2f\xfd"sv, 0, "zstd"},
    Magic{"1AY&SY"sv, 4, "bzip2"},         Magic{"\x17rE8P\x90"sv, 4, "bzip2"},
    Magic{"\x04\x22\x4d\x18"sv, 0, "lz4"}, Magic{"\x02\x21\x4c\x18"sv, 0, "lz4"}};
constexpr std::array archives = {Magic{"PK\x03\x04"sv, 0, "zip"}, Magic{"PK\x05\x06"sv, 0, "zip"},
                                 Magic{"ustar"sv, 257, "tar"}};

template <std::size_t count>
std::string_view format_of(std::span<const std::byte> contents,
                           const std::array<Magic, count>& magics) {
  const std::string_view text(reinterpret_cast<const char*>(contents.data()), contents.size());
  for (const Magic& magic : magics) {
    if (text.size() >= magic.offset && text.substr(magic.offset).starts_with(magic.bytes) &&
        (magic.format != "bzip2" || text.starts_with("BZh"))) {
      return magic.format;
    }
  }
  return {};
}

/// What follows the frames that hold no data and that may begin Zstandard's data.
std::span<const std::byte> behind_skippable(std::span<const std::byte> contents) {
  constexpr std::size_t head = 8;
  const auto number_at = [&contents](std::size_t at) {
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      number |= std::to_integer<std::uint64_t>(contents[at + i]) << (8 * i);
    }
    return number;
  };
  while (contents.size() >= head && number_at(0) >> 4 == 0x184d2a5) {
    contents = contents.subspan(std::min<std::size_t>(contents.size(), head + number_at(4)));
  }
  return contents;
}

std::string path_of(archive_entry* entry) {
  const char* name = archive_entry_pathname_utf8(entry);
  if (name == nullptr) {
    name = archive_entry_pathname(entry);
  }
  return name != nullptr ? name : "?";
}

bool is_data_file(archive_entry* entry) {
  const std::string path = path_of(entry);
  const std::string file = path.substr(path.find_last_of('/') + 1);
  return archive_entry_filetype(entry) == AE_IFREG && archive_entry_hardlink(entry) == nullptr &&
         !file.empty() && !file.starts_with('.') && path.find("__MACOSX/") == std::string::npos;
}

}  // namespace

std::string_view compression_of(std::span<const std::byte> contents) {
  const std::span<const std::byte> rest = behind_skippable(contents);
  const std::string_view format = format_of(rest, compressions);
  return rest.size() == contents.size() || format == "zstd" ? format : std::string_view();
}

std::string_view archive_format_of(std::span<const std::byte> contents) {
  return format_of(contents, archives);
}

bool looks_like_archive(std::span<const std::byte> contents) {
  return !archive_format_of(contents).empty();
}

std::vector<std::byte> first_bytes_of(const Bytes& packed, std::string_view format,
                                      const std::string& origin, std::size_t count) {
  ArchiveReader reader(packed, origin, format);
  while (archive_entry* const entry = reader.next()) {
    if (!looks_like_archive(packed.view) || is_data_file(entry)) {
      return reader.read_first(count);
    }
  }
  return {};
}

Bytes decompress(const Bytes& compressed, const std::string& origin, const MemoryProbe& available) {
  ArchiveReader reader(compressed, origin, compression_of(compressed.view));
  Bytes contents;
  if (reader.next() != nullptr) {
    contents = reader.read(available);
  }
  reader.expect_end();
  if (contents.size() == 0) {
    throw InputError(origin + ": the file holds no data (empty after decompression)");
  }
  return contents;
}

std::vector<std::string> member_names(const Bytes& archive, const std::string& origin) {
  ArchiveReader reader(archive, origin, archive_format_of(archive.view));
  std::vector<std::string> names;
  std::unordered_set<std::string> seen;
  while (archive_entry* const entry = reader.next()) {
    if (!is_data_file(entry)) {
      continue;
    }
    names.push_back(path_of(entry));
    if (!seen.insert(names.back()).second) {
      throw InputError(fmt::format("{}: the archive holds {} twice; make it anew", origin,
                                   in_quotes(names.back())));
    }
  }
  return names;
}

Bytes read_member(const Bytes& archive, const std::string& name, const std::string& origin,
                  const MemoryProbe& available) {
  ArchiveReader reader(archive, origin, archive_format_of(archive.view));
  while (archive_entry* const entry = reader.next()) {
    if (!is_data_file(entry) || path_of(entry) != name) {
      continue;
    }
    if (archive_entry_is_encrypted(entry) != 0) {
      throw InputError(
          fmt::format("{}: {} is encrypted; unpack it with its password", origin, in_quotes(name)));
    }
    return reader.read(available);
  }
  throw InputError(fmt::format("{}: the archive has no file {}", origin, in_quotes(name)));
}

}  // namespace dnn
