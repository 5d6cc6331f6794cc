#pragma once

#include <archive.h>
#include <archive_entry.h>
#include <zlib.h>

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace dnn::test {

using ArchiveMembers = std::vector<std::pair<std::string, std::string>>;

/// Writes archives and compressed data into memory, by libarchive.
class ArchiveWriter {
 public:
  ArchiveWriter() : archive_(archive_write_new()) {}
  ~ArchiveWriter() { archive_write_free(archive_); }
  ArchiveWriter(const ArchiveWriter&) = delete;
  ArchiveWriter& operator=(const ArchiveWriter&) = delete;

  [[nodiscard]] archive* get() const { return archive_; }

  std::string write(const ArchiveMembers& members) {
    const auto append = [](archive*, void* text, const void* data, std::size_t size) {
      static_cast<std::string*>(text)->append(static_cast<const char*>(data), size);
      return static_cast<la_ssize_t>(size);
    };
    archive_write_set_bytes_per_block(archive_, 512);
    archive_write_set_bytes_in_last_block(archive_, 1);
    check(archive_write_open(archive_, &text_, nullptr, append, nullptr));
    for (const auto& [name, contents] : members) {
      archive_entry* const entry = archive_entry_new();
      archive_entry_set_pathname(entry, name.c_str());
      archive_entry_set_filetype(entry, name.ends_with('/') ? AE_IFDIR : AE_IFREG);
      archive_entry_set_perm(entry, 0644);
      archive_entry_set_size(entry, static_cast<la_int64_t>(contents.size()));
      check(archive_write_header(archive_, entry));
      archive_write_data(archive_, contents.data(), contents.size());
      archive_entry_free(entry);
    }
    check(archive_write_close(archive_));
    return text_;
  }

  static void check(int status) {
    if (status != ARCHIVE_OK) {
      throw std::runtime_error("libarchive cannot write");
    }
  }

 private:
  archive* archive_;
  std::string text_;
};

/// The bytes of a zip archive with these members, deflated.
inline std::string zip(const ArchiveMembers& members) {
  ArchiveWriter writer;
  ArchiveWriter::check(archive_write_set_format_zip(writer.get()));
  return writer.write(members);
}

/// The bytes of a zip archive with these members, stored as they are, as numpy.savez writes them
/// (libarchive stores them with their sizes behind them).
inline std::string stored_zip(const ArchiveMembers& members) {
  const auto number = [](std::size_t value, int bytes) {
    std::string text;
    for (; bytes > 0; --bytes, value >>= 8) {
      text += static_cast<char>(value & 0xff);
    }
    return text;
  };
  std::string file;
  std::string directory;
  for (const auto& [name, contents] : members) {
    const std::size_t checksum = crc32(0, reinterpret_cast<const Bytef*>(contents.data()),
                                       static_cast<uInt>(contents.size()));
    // Version, flags, method, time and date; checksum, sizes, lengths of the name and of no more.
    const std::string entry = number(20, 2) + number(0, 8) + number(checksum, 4) +
                              number(contents.size(), 4) + number(contents.size(), 4) +
                              number(name.size(), 2) + number(0, 2);
    directory +=
        "PK\x01\x02" + number(20, 2) + entry + number(0, 10) + number(file.size(), 4) + name;
    file += "PK\x03\x04" + entry + name + contents;
  }
  return file + directory + "PK\x05\x06" + number(0, 4) + number(members.size(), 2) +
         number(members.size(), 2) + number(directory.size(), 4) + number(file.size(), 4) +
         number(0, 2);
}

/// The bytes of a tar archive with these members.
inline std::string tar(const ArchiveMembers& members) {
  ArchiveWriter writer;
  ArchiveWriter::check(archive_write_set_format_ustar(writer.get()));
  return writer.write(members);
}

/// `contents`, compressed by gzip, xz, zstd, bzip2 or lz4.
inline std::string compressed(const std::string& filter, const std::string& contents) {
  ArchiveWriter writer;
  ArchiveWriter::check(archive_write_add_filter_by_name(writer.get(), filter.c_str()));
  ArchiveWriter::check(archive_write_set_format_raw(writer.get()));
  return writer.write({{"data", contents}});
}

}  // namespace dnn::test
