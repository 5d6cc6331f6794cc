#include "dnn/files/gzip.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <limits>
#include <new>

#include "dnn/core/available_memory.hpp"
#include "dnn/core/error.hpp"

namespace dnn {

namespace {

/// Ends zlib's stream at the end of its scope.
struct InflateStream {
  z_stream z{};
  ~InflateStream() { inflateEnd(&z); }
};

/// A gzip file ends with the size of its last member modulo 2^32: at least so much is in it.
void check_promised_size(std::span<const std::byte> compressed, const std::string& origin,
                         const MemoryProbe& available) {
  constexpr std::size_t bytes = 4;
  if (compressed.size() < bytes) {
    return;
  }
  std::size_t promised = 0;
  for (std::size_t i = 0; i < bytes; ++i) {
    promised |= std::to_integer<std::size_t>(compressed[compressed.size() - bytes + i]) << (8 * i);
  }
  constexpr std::size_t most_ratio = 1032;  // of deflate; a damaged file may promise more
  const std::size_t room = available();
  if (promised > room && promised / most_ratio <= compressed.size()) {
    throw InputError(fmt::format(
        "{} ({} compressed) holds at least {}, and this job may use {} of memory more. Convert the "
        "data to uncompressed NPY files, which are mapped and may be larger than memory, or ask "
        "the batch system for more memory",
        origin, size_text(compressed.size()), size_text(promised), size_text(room)));
  }
}

/// Whether nothing follows but the zeros that fill a block of a tape.
bool is_padding(std::span<const std::byte> rest) {
  return std::all_of(rest.begin(), rest.end(), [](std::byte b) { return b == std::byte{0}; });
}

}  // namespace

bool looks_like_gzip(std::span<const std::byte> contents) {
  return contents.size() >= 2 && contents[0] == std::byte{0x1f} && contents[1] == std::byte{0x8b};
}

Bytes inflate_gzip(std::span<const std::byte> compressed, const std::string& origin,
                   const MemoryProbe& available) {
  InflateStream stream;
  if (inflateInit2(&stream.z, 15 + 16) != Z_OK) {
    throw std::bad_alloc();
  }
  check_promised_size(compressed, origin, available);
  GrowingBytes inflated(origin, compressed.size(), available);
  std::size_t used = 0;
  while (true) {
    constexpr std::size_t most = std::numeric_limits<uInt>::max();
    const std::span<std::byte> room = inflated.room();
    const std::size_t in = std::min(most, compressed.size() - used);
    const std::size_t out = std::min(most, room.size());
    stream.z.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(compressed.data() + used));
    stream.z.avail_in = static_cast<uInt>(in);
    stream.z.next_out = reinterpret_cast<Bytef*>(room.data());
    stream.z.avail_out = static_cast<uInt>(out);
    const int status = inflate(&stream.z, Z_NO_FLUSH);
    used += in - stream.z.avail_in;
    inflated.added(out - stream.z.avail_out);
    if (status == Z_STREAM_END) {
      if (is_padding(compressed.subspan(used))) {
        break;
      }
      inflateReset(&stream.z);  // gzip files may be concatenated
    } else if (status == Z_BUF_ERROR ||
               (status == Z_OK && used == compressed.size() && stream.z.avail_out > 0)) {
      throw InputError(origin + ": truncated gzip data (the file ends too early); copy it again");
    } else if (status != Z_OK) {
      throw InputError(fmt::format("{}: corrupt gzip data ({}); copy the file again", origin,
                                   stream.z.msg != nullptr ? stream.z.msg : "unreadable"));
    }
  }
  if (inflated.size() == 0) {
    throw InputError(origin + ": the file holds no data (empty after decompression)");
  }
  return inflated.finish();
}

}  // namespace dnn
