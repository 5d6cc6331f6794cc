#include "dnn/files/archive_reader.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <new>

#include "dnn/core/copy_bytes.hpp"
#include "dnn/core/error.hpp"

namespace dnn {

void ArchiveReader::Free::operator()(archive* a) const {
  archive_read_free(a);
}

ArchiveReader::ArchiveReader(const Bytes& contents, const std::string& origin,
                             std::string_view format)
    : contents_(contents), origin_(origin), format_(format), archive_(archive_read_new()) {
  archive* const a = archive_.get();
  if (a == nullptr) {
    throw std::bad_alloc();
  }
  const bool is_archive = format == "zip" || format == "tar";
  if (is_archive) {
    // The directory at a zip archive's end is needed: without it, the file is truncated.
    check(format == "tar" ? archive_read_support_format_tar(a)
                          : archive_read_support_format_zip_seekable(a));
  } else {
    check(archive_read_support_format_raw(a));
    check(archive_read_support_format_empty(a));
    check(format == "gzip"    ? archive_read_support_filter_gzip(a)
          : format == "xz"    ? archive_read_support_filter_xz(a)
          : format == "zstd"  ? archive_read_support_filter_zstd(a)
          : format == "bzip2" ? archive_read_support_filter_bzip2(a)
                              : archive_read_support_filter_lz4(a));
  }
  check(archive_read_open_memory(a, contents.view.data(), contents.size()));
  // Without its decompressor, libarchive would give the data as they are.
  if (!is_archive && archive_filter_count(a) < 2) {
    throw InputError(
        fmt::format("{}: truncated or corrupt {} data; copy the file again", origin, format));
  }
}

archive_entry* ArchiveReader::next() {
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

Bytes ArchiveReader::read(const MemoryProbe& available) {
  GrowingBytes copy(origin_, contents_.size(), available);
  Bytes stored;
  const void* data = nullptr;
  std::size_t size = 0;
  la_int64_t offset = 0;
  int status = ARCHIVE_OK;
  while ((status = archive_read_data_block(archive_.get(), &data, &size, &offset)) == ARCHIVE_OK) {
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

std::vector<std::byte> ArchiveReader::read_first(std::size_t count) {
  std::vector<std::byte> bytes(count);
  const la_ssize_t read = archive_read_data(archive_.get(), bytes.data(), count);
  if (read < 0) {
    fail();
  }
  bytes.resize(static_cast<std::size_t>(read));
  return bytes;
}

void ArchiveReader::expect_end() const {
  if (archive_filter_bytes(archive_.get(), -1) != static_cast<la_int64_t>(contents_.size())) {
    throw InputError(fmt::format("{}: corrupt {} data (other bytes follow them); copy it again",
                                 origin_, format_));
  }
}

void ArchiveReader::fail() const {
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

void ArchiveReader::check(int status) const {
  if (status != ARCHIVE_OK) {
    fail();
  }
}

bool ArchiveReader::is_inside(std::span<const std::byte> block) const {
  const auto begin = reinterpret_cast<std::uintptr_t>(contents_.view.data());
  const auto at = reinterpret_cast<std::uintptr_t>(block.data());
  return at >= begin && at + block.size() <= begin + contents_.size();
}

/// Adds a block that belongs at `offset`; before it, zeros that the archive leaves out.
void ArchiveReader::append(GrowingBytes& bytes, std::span<const std::byte> block,
                           std::size_t offset) const {
  if (offset < bytes.size()) {
    throw InputError(fmt::format("{}: corrupt {} data (blocks overlap)", origin_, format_));
  }
  while (!block.empty()) {
    const std::span<std::byte> room = bytes.room();
    const std::size_t zeros = std::min(room.size(), offset - bytes.size());
    const std::size_t copied = zeros > 0 ? 0 : std::min(room.size(), block.size());
    std::memset(room.data(), 0, zeros);
    copy_bytes(room.data(), block.data(), copied);
    bytes.added(zeros + copied);
    offset += copied;
    block = block.subspan(copied);
  }
}

}  // namespace dnn
