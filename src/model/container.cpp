#include "dnn/model/container.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "dnn/core/atomic_file.hpp"
#include "dnn/core/descriptor.hpp"
#include "dnn/core/error.hpp"
#include "dnn/core/output_file.hpp"
#include "dnn/core/sha256.hpp"

namespace dnn {

namespace {

static_assert(std::endian::native == std::endian::little, "the container is little-endian");

struct Header {
  std::array<char, 8> magic;
  std::uint32_t version;
  std::uint32_t reserved;
  std::uint64_t description_length;
  std::uint64_t parameters_length;
};
static_assert(sizeof(Header) == 32);

constexpr std::size_t body_offset = sizeof(Header) + sizeof(Sha256::Digest);

void check_header(const std::string& path, const Container::Kind& kind, const Header& header,
                  std::size_t size) {
  const std::string name = kind.name;
  if (kind.magic == Container::model.magic && header.magic == Container::checkpoint.magic) {
    throw InputError(fmt::format(
        "{}: a checkpoint, not a dnn_train model; give the model.dnn that its run saved (a "
        "checkpoint is for dnn_train --resume, dnn_model hash and dnn_model compare)",
        path));
  }
  if (header.magic != kind.magic) {
    throw InputError(
        fmt::format("{}: not a dnn_train {} (its first bytes are another format's)", path, name));
  }
  if (size < body_offset) {
    throw InputError(fmt::format("{}: truncated {} file ({} bytes)", path, name, size));
  }
  if (header.version == 0) {
    throw InputError(fmt::format("{}: damaged {} file (its format version is 0)", path, name));
  }
  const std::uint64_t available = size - body_offset;
  if (header.description_length > available ||
      header.parameters_length != available - header.description_length) {
    throw InputError(
        fmt::format("{}: truncated or damaged {} file ({} bytes are not what its header promises)",
                    path, name, size));
  }
}

}  // namespace

/// A regular file that is read at given places.
class ContainerReader::File {
 public:
  explicit File(const std::string& path)
      // Without O_NONBLOCK, opening a pipe that nobody writes to would never return.
      : path_(path), file_(open_file(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
    struct stat status {};
    if (!file_.is_open() || ::fstat(file_.value(), &status) != 0) {
      throw FileError("read the file", path_, errno);
    }
    if (!S_ISREG(status.st_mode)) {
      throw InputError(path + ": not a regular file (a folder, a device or a pipe cannot be read)");
    }
    size_ = static_cast<std::size_t>(status.st_size);
    if (size_ == 0) {
      throw InputError(path + ": the file is empty");
    }
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  [[nodiscard]] std::size_t size() const { return size_; }

  void read(std::size_t offset, std::span<std::byte> bytes) const {
    while (!bytes.empty()) {
      const ssize_t count =
          ::pread(file_.value(), bytes.data(), std::min<std::size_t>(bytes.size(), 1U << 30),
                  static_cast<off_t>(offset));
      if (count < 0 && errno == EINTR) {
        continue;
      }
      if (count < 0) {
        throw FileError("read the file", path_, errno);
      }
      if (count == 0) {
        throw InputError(path_ + ": the file was truncated while it was being read");
      }
      offset += static_cast<std::size_t>(count);
      bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
  }

 private:
  std::string path_;
  Descriptor file_;
  std::size_t size_ = 0;
};

ContainerReader::ContainerReader(const std::string& path, const Container::Kind& kind)
    : file_(std::make_unique<File>(path)) {
  Header header{};
  const std::size_t size = file_->size();
  file_->read(0,
              std::as_writable_bytes(std::span(&header, 1)).first(std::min(size, sizeof(header))));
  check_header(path, kind, header, size);
  version_ = header.version;
  parameters_length_ = header.parameters_length;
  Sha256::Digest promised{};
  file_->read(sizeof(header), std::as_writable_bytes(std::span(promised)));
  Sha256 hash;
  hash.update(std::as_bytes(std::span(&header, 1)));
  std::vector<std::byte> block(std::min(size, std::size_t{1} << 20));
  for (std::size_t at = body_offset; at < size; at += block.size()) {
    const std::span<std::byte> part = std::span(block).first(std::min(block.size(), size - at));
    file_->read(at, part);
    hash.update(part);
  }
  const Sha256::Digest digest = hash.finish();
  if (digest != promised) {
    throw InputError(
        fmt::format("{}: damaged {} file (the checksum does not match)", path, kind.name));
  }
  if (version_ > kind.newest_version) {  // and it is whole
    throw NewerVersionError(
        fmt::format("{}: {} format version {}, but this program reads version {}; use the "
                    "dnn_train that wrote it, or a newer one",
                    path, kind.name, version_, kind.newest_version));
  }
  checksum_ = to_hex(digest);
  description_.resize(header.description_length);
  file_->read(body_offset, std::as_writable_bytes(std::span(description_)));
}

ContainerReader::~ContainerReader() = default;

void ContainerReader::read(std::size_t offset, std::span<std::byte> bytes) const {
  file_->read(body_offset + description_.size() + offset, bytes);
}

std::string write_container(const std::string& path, const Container::Kind& kind,
                            const std::string& description,
                            const std::vector<std::span<const std::byte>>& pieces,
                            std::uint32_t version) {
  Header header{kind.magic, version, 0, description.size(), 0};
  for (const auto piece : pieces) {
    header.parameters_length += piece.size();
  }
  std::vector<std::span<const std::byte>> all = {
      std::as_bytes(std::span(&header, 1)), {}, std::as_bytes(std::span(description))};
  all.insert(all.end(), pieces.begin(), pieces.end());
  Sha256 hash;
  for (const auto piece : all) {
    hash.update(piece);
  }
  const Sha256::Digest digest = hash.finish();
  all[1] = digest;
  write_file_atomically(path, all);
  return to_hex(digest);
}

bool ContainerReader::begins_as(const std::string& path, const Container::Kind& kind) {
  const File file(path);
  std::array<char, 8> magic{};
  file.read(0, std::as_writable_bytes(std::span(magic)).first(std::min(file.size(), magic.size())));
  return magic == kind.magic;
}

std::string write_container_checked(const std::string& path, const Container::Kind& kind,
                                    const std::string& description,
                                    const std::vector<std::span<const std::byte>>& pieces,
                                    std::uint32_t version) {
  std::string written = write_container(path, kind, description, pieces, version);
  try {
    if (verify_container(path, kind) != written) {
      throw InputError(path + ": reads back as something else than what was written");
    }
  } catch (const std::exception&) {
    std::error_code error;
    std::filesystem::remove(path, error);
    throw;
  }
  return written;
}

Container read_container(const std::string& path, const Container::Kind& kind) {
  const ContainerReader reader(path, kind);
  Container container{reader.description(), std::vector<std::byte>(reader.parameters_length())};
  reader.read(0, container.parameters);
  return container;
}

std::string verify_container(const std::string& path, const Container::Kind& kind) {
  return ContainerReader(path, kind).checksum();
}

}  // namespace dnn
