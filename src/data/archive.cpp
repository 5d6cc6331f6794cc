#include "dnn/data/archive.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <new>
#include <unordered_set>

#include "dnn/core/error.hpp"

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

/// Reads one archive, or compressed data as an archive of one member, from memory.
class ArchiveReader {
 public:
  ArchiveReader(const Bytes& contents, const std::string& origin)
      : contents_(contents), origin_(origin), format_(compression_of(contents.view)) {
    archive* const a = archive_.get();
    if (a == nullptr) {
      throw std::bad_alloc();
    }
    if (format_.empty()) {
      format_ = format_of(contents.view, archives);
      // The directory at a zip archive's end is needed: without it, the file is truncated.
      check(format_ == "tar" ? archive_read_support_format_tar(a)
                             : archive_read_support_format_zip_seekable(a));
    } else {
      check(archive_read_support_format_raw(a));
      check(archive_read_support_format_empty(a));
      check(format_ == "xz"      ? archive_read_support_filter_xz(a)
            : format_ == "zstd"  ? archive_read_support_filter_zstd(a)
            : format_ == "bzip2" ? archive_read_support_filter_bzip2(a)
                                 : archive_read_support_filter_lz4(a));
    }
    check(archive_read_open_memory(a, contents.view.data(), contents.size()));
    // Without its decompressor, libarchive would give the data as they are.
    if (!compression_of(contents.view).empty() && archive_filter_count(a) < 2) {
      throw InputError(fmt::format("{}: truncated or corrupt {} data; copy the file again", origin_,
                                   format_));
    }
  }

  /// Goes to the next member; nullptr after the last one.
  archive_entry* next() {
    archive_entry* entry = nullptr;
    const int status = archive_read_next_header(archive_.get(), &entry);
    if (status == ARCHIVE_EOF) {
      return nullptr;
    }
    if (status < ARCHIVE_WARN) {  // a warning is about a name in other characters
      fail();
    }
    return entry;
  }

  /// The contents of the member that next() went to.
  Bytes read(const MemoryProbe& available) {
    GrowingBytes copy(origin_, contents_.size(), available);
    Bytes stored;
    const void* data = nullptr;
    std::size_t size = 0;
    la_int64_t offset = 0;
    int status = ARCHIVE_OK;
    while ((status = archive_read_data_block(archive_.get(), &data, &size, &offset)) ==
           ARCHIVE_OK) {
      if (size == 0) {  // how some formats announce the end
        continue;
      }
      const std::span block(static_cast<const std::byte*>(data), size);
      if (copy.size() == 0 && stored.size() == 0 && offset == 0 && is_inside(block)) {
        stored = contents_.part(static_cast<std::size_t>(block.data() - contents_.view.data()),
                                block.size());
        continue;
      }
      if (stored.size() > 0) {
        append(copy, stored.view, 0);
        stored = {};
      }
      append(copy, block, static_cast<std::size_t>(offset));
    }
    if (status != ARCHIVE_EOF) {
      fail();
    }
    return stored.size() > 0 ? stored : copy.finish();
  }

  /// Throws InputError unless all of the contents have been read.
  void expect_end() {
    if (archive_filter_bytes(archive_.get(), -1) != static_cast<la_int64_t>(contents_.size())) {
      throw InputError(fmt::format("{}: corrupt {} data (other bytes follow them); copy it again",
                                   origin_, format_));
    }
  }

  [[noreturn]] void fail() const {
    const char* const text = archive_error_string(archive_.get());
    std::string reason = text != nullptr ? text : "unreadable";
    const auto says = [&](const char* part) { return reason.find(part) != std::string::npos; };
    if (says("runcated") || says("No progress is possible")) {
      throw InputError(fmt::format("{}: truncated {} data (the file ends too early); copy it again",
                                   origin_, format_));
    }
    if (format_ == "zip" && says("Unrecognized")) {
      reason = "its directory is missing; is it truncated?";
    }
    throw InputError(fmt::format("{}: corrupt {} data ({}); copy the file again", origin_, format_,
                                 in_quotes(reason)));
  }

 private:
  struct Free {
    void operator()(archive* a) const { archive_read_free(a); }
  };

  /// Of a setting: a warning is that the library was built without this format.
  void check(int status) const {
    if (status != ARCHIVE_OK) {
      fail();
    }
  }

  [[nodiscard]] bool is_inside(std::span<const std::byte> block) const {
    const auto begin = reinterpret_cast<std::uintptr_t>(contents_.view.data());
    const auto at = reinterpret_cast<std::uintptr_t>(block.data());
    return at >= begin && at + block.size() <= begin + contents_.size();
  }

  /// Adds a block that belongs at `offset`; before it, zeros that the archive leaves out.
  void append(GrowingBytes& bytes, std::span<const std::byte> block, std::size_t offset) const {
    if (offset < bytes.size()) {
      throw InputError(fmt::format("{}: corrupt {} data (blocks overlap)", origin_, format_));
    }
    while (!block.empty()) {
      const std::span<std::byte> room = bytes.room();
      const std::size_t zeros = std::min(room.size(), offset - bytes.size());
      const std::size_t copied = zeros > 0 ? 0 : std::min(room.size(), block.size());
      std::memset(room.data(), 0, zeros);
      std::memcpy(room.data(), block.data(), copied);
      bytes.added(zeros + copied);
      offset += copied;
      block = block.subspan(copied);
    }
  }

  const Bytes& contents_;
  const std::string& origin_;
  std::string_view format_;
  std::unique_ptr<archive, Free> archive_{archive_read_new()};
};

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
  return format_of(contents, compressions);
}

bool looks_like_archive(std::span<const std::byte> contents) {
  return !format_of(contents, archives).empty();
}

Bytes decompress(const Bytes& compressed, const std::string& origin, const MemoryProbe& available) {
  ArchiveReader reader(compressed, origin);
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
  ArchiveReader reader(archive, origin);
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
  ArchiveReader reader(archive, origin);
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
