// gzip data as they come; then what follows the header, as deflated data with the checksum and
// length that belong to them, so that the checksum does not keep the fuzzer out.

#include <zlib.h>

#include <algorithm>
#include <array>
#include <vector>

#include "dnn/files/gzip.hpp"
#include "fuzz/allocation_limit.hpp"
#include "fuzz/invariants.hpp"

using namespace dnn;

namespace {

constexpr std::size_t most_inflated = 1 << 16;  ///< by the fuzz target itself
constexpr std::array<unsigned char, 10> header = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3};

/// What `deflated` begins with, inflated by zlib alone; empty where it is none. `used` becomes the
/// bytes that it took.
std::vector<std::byte> inflate_raw(std::span<const std::byte> deflated, std::size_t& used) {
  std::vector<std::byte> inflated(most_inflated);
  z_stream stream{};
  fuzz::expect(inflateInit2(&stream, -15) == Z_OK, "zlib starts");
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(deflated.data()));
  stream.avail_in = static_cast<uInt>(deflated.size());
  stream.next_out = reinterpret_cast<Bytef*>(inflated.data());
  stream.avail_out = static_cast<uInt>(inflated.size());
  const bool whole = inflate(&stream, Z_FINISH) == Z_STREAM_END;
  used = stream.total_in;
  inflated.resize(whole ? stream.total_out : 0);
  inflateEnd(&stream);
  return inflated;
}

/// The gzip file of deflated data that inflate to `inflated`.
std::vector<std::byte> gzip_file(std::span<const std::byte> deflated,
                                 std::span<const std::byte> inflated) {
  const auto head = std::as_bytes(std::span(header));
  std::vector<std::byte> file(head.begin(), head.end());
  file.insert(file.end(), deflated.begin(), deflated.end());
  const auto* bytes = reinterpret_cast<const Bytef*>(inflated.data());
  const std::size_t checksum = crc32(0, bytes, static_cast<uInt>(inflated.size()));
  for (const std::size_t number : {checksum, inflated.size()}) {
    for (unsigned shift = 0; shift < 32; shift += 8) {
      file.push_back(static_cast<std::byte>(number >> shift & 0xff));
    }
  }
  return file;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const auto bytes = fuzz::input(data, size);
  const std::string origin = "input.gz";
  {
    // deflate makes at most 1032 bytes of one; the buffer doubles, and the old one is still there.
    const fuzz::AllocationLimit limit(4 * 1032 * size + 65536);
    Bytes inflated;
    if (fuzz::accepts(origin,
                      [&] { inflated = inflate_gzip(bytes, origin, fuzz::available_memory); })) {
      fuzz::expect(inflated.size() > 0, "what is accepted holds data");
    }
  }
  if (size > header.size()) {
    std::size_t used = 0;
    const auto deflated = bytes.subspan(header.size());
    const auto inflated = inflate_raw(deflated, used);
    if (!inflated.empty()) {
      const auto file = gzip_file(deflated.first(used), inflated);
      const Bytes whole = inflate_gzip(file, origin, fuzz::available_memory);
      fuzz::expect(
          std::equal(inflated.begin(), inflated.end(), whole.view.begin(), whole.view.end()),
          "whole gzip data are inflated");
    }
  }
  return 0;
}
