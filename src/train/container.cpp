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

constexpr char magic[8] = {'D', 'N', 'N', 'M', 'O', 'D', 'E', 'L'};
constexpr std::uint32_t current_version = 1;

struct Header {
  char magic[8];
  std::uint32_t version;
  std::uint32_t reserved;
  std::uint64_t description_length;
  std::uint64_t parameters_length;
};
static_assert(sizeof(Header) == 32);

constexpr std::size_t body_offset = sizeof(Header) + sizeof(Sha256::Digest);

Sha256::Digest digest_of(const Header& header, std::span<const std::byte> description,
                         std::span<const std::byte> parameters) {
  Sha256 hash;
  hash.update(std::as_bytes(std::span(&header, 1)));
  hash.update(description);
  hash.update(parameters);
  return hash.finish();
}

}  // namespace

void write_container(const std::string& path, const std::string& description,
                     std::span<const std::byte> parameters) {
  Header header{};
  std::memcpy(header.magic, magic, sizeof(magic));
  header.version = current_version;
  header.description_length = description.size();
  header.parameters_length = parameters.size();
  const auto text = std::as_bytes(std::span(description));
  const Sha256::Digest digest = digest_of(header, text, parameters);
  write_file_atomically(
      path, {std::as_bytes(std::span(&header, 1)), std::span(digest), text, parameters});
}

Container read_container(const std::string& path) {
  const Bytes file = map_file(path);
  Header header{};
  if (file.size() < sizeof(magic) || std::memcmp(file.view.data(), magic, sizeof(magic)) != 0) {
    throw InputError(path + ": not a dnn_train model (its first bytes are another format's)");
  }
  if (file.size() < body_offset) {
    throw InputError(path + ": truncated model file (" + std::to_string(file.size()) + " bytes)");
  }
  std::memcpy(&header, file.view.data(), sizeof(header));
  if (header.version != current_version) {
    throw InputError(path + ": model format version " + std::to_string(header.version) +
                     ", but this program reads version " + std::to_string(current_version) +
                     "; use the dnn_train that wrote it, or a newer one");
  }
  const std::uint64_t available = file.size() - body_offset;
  if (header.description_length > available ||
      header.parameters_length != available - header.description_length) {
    throw InputError(path + ": truncated or damaged model file (" + std::to_string(file.size()) +
                     " bytes are not what its header promises)");
  }
  const auto description = file.view.subspan(body_offset, header.description_length);
  const auto parameters = file.view.subspan(body_offset + header.description_length);
  const Sha256::Digest digest = digest_of(header, description, parameters);
  if (std::memcmp(digest.data(), file.view.data() + sizeof(Header), digest.size()) != 0) {
    throw InputError(path + ": damaged model file (the checksum does not match)");
  }
  return {std::string(reinterpret_cast<const char*>(description.data()), description.size()),
          {parameters.begin(), parameters.end()}};
}

}  // namespace dnn
