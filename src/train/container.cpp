#include "dnn/train/container.hpp"

#include <bit>
#include <cstring>

#include "dnn/core/error.hpp"
#include "dnn/core/sha256.hpp"
#include "dnn/data/bytes.hpp"
#include "dnn/train/atomic_file.hpp"

namespace dnn {

namespace {

static_assert(std::endian::native == std::endian::little, "the container is little-endian");

constexpr std::uint32_t current_version = 1;

struct Header {
  std::array<char, 8> magic;
  std::uint32_t version;
  std::uint32_t reserved;
  std::uint64_t description_length;
  std::uint64_t parameters_length;
};
static_assert(sizeof(Header) == 32);

constexpr std::size_t body_offset = sizeof(Header) + sizeof(Sha256::Digest);

/// A container's file, found to be whole.
struct Whole {
  Bytes file;
  Header header{};
  Sha256::Digest digest{};
};

Whole open_whole(const std::string& path, const Container::Kind& kind) {
  Whole whole{map_file(path)};
  const Bytes& file = whole.file;
  Header& header = whole.header;
  const std::string name = kind.name;
  if (file.size() < kind.magic.size() ||
      std::memcmp(file.view.data(), kind.magic.data(), kind.magic.size()) != 0) {
    throw InputError(path + ": not a dnn_train " + name +
                     " (its first bytes are another format's)");
  }
  if (file.size() < body_offset) {
    throw InputError(path + ": truncated " + name + " file (" + std::to_string(file.size()) +
                     " bytes)");
  }
  std::memcpy(&header, file.view.data(), sizeof(header));
  if (header.version != current_version) {
    throw InputError(path + ": " + name + " format version " + std::to_string(header.version) +
                     ", but this program reads version " + std::to_string(current_version) +
                     "; use the dnn_train that wrote it, or a newer one");
  }
  const std::uint64_t available = file.size() - body_offset;
  if (header.description_length > available ||
      header.parameters_length != available - header.description_length) {
    throw InputError(path + ": truncated or damaged " + name + " file (" +
                     std::to_string(file.size()) + " bytes are not what its header promises)");
  }
  Sha256 hash;
  hash.update(file.view.first(sizeof(Header)));
  hash.update(file.view.subspan(body_offset));
  whole.digest = hash.finish();
  if (std::memcmp(whole.digest.data(), file.view.data() + sizeof(Header), whole.digest.size()) !=
      0) {
    throw InputError(path + ": damaged " + name + " file (the checksum does not match)");
  }
  return whole;
}

}  // namespace

std::string write_container(const std::string& path, const Container::Kind& kind,
                            const std::string& description,
                            const std::vector<std::span<const std::byte>>& pieces) {
  Header header{kind.magic, current_version, 0, description.size(), 0};
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

Container read_container(const std::string& path, const Container::Kind& kind) {
  const Whole whole = open_whole(path, kind);
  const auto description = whole.file.view.subspan(body_offset, whole.header.description_length);
  const auto parameters = whole.file.view.subspan(body_offset + description.size());
  return {std::string(reinterpret_cast<const char*>(description.data()), description.size()),
          {parameters.begin(), parameters.end()}};
}

std::string verify_container(const std::string& path, const Container::Kind& kind) {
  return to_hex(open_whole(path, kind).digest);
}

}  // namespace dnn
