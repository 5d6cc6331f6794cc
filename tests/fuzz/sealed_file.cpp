#include "fuzz/sealed_file.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "dnn/core/sha256.hpp"

namespace dnn::fuzz {

namespace {

// See Note [Container format, version 1].
constexpr std::size_t version_offset = 8;
constexpr std::size_t lengths_offset = 16;
constexpr std::size_t checksum_offset = 32;
constexpr std::size_t body_offset = 64;

}  // namespace

std::vector<std::byte> sealed_file(const Container::Kind& kind,
                                   std::span<const std::byte> description,
                                   std::span<const std::byte> parameters) {
  std::vector<std::byte> file(body_offset + description.size() + parameters.size());
  std::memcpy(file.data(), kind.magic.data(), kind.magic.size());
  file[version_offset] = std::byte{1};
  const std::uint64_t lengths[] = {description.size(), parameters.size()};
  std::memcpy(file.data() + lengths_offset, lengths, sizeof(lengths));
  const auto body = file.begin() + body_offset;
  std::copy(parameters.begin(), parameters.end(),
            std::copy(description.begin(), description.end(), body));
  seal(file);
  return file;
}

void seal(std::span<std::byte> file) {
  if (file.size() < body_offset) {
    return;
  }
  Sha256 hash;
  hash.update(file.first(checksum_offset));
  hash.update(file.subspan(body_offset));
  const Sha256::Digest digest = hash.finish();
  std::memcpy(file.data() + checksum_offset, digest.data(), digest.size());
}

}  // namespace dnn::fuzz
