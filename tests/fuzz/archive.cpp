// Compressed data of all kinds but gzip, zip and tar archives, as they come.

#include "dnn/files/archive.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "fuzz/invariants.hpp"

using namespace dnn;

namespace {

constexpr std::size_t available = std::size_t{40} << 20;  ///< memory, as the readers are told

/// What a file of 1 KiB may become before the readers notice that memory ends.
constexpr std::size_t most = std::size_t{64} << 20;

void read_members(const Bytes& contents, const std::string& origin) {
  std::vector<std::string> names;
  if (!fuzz::accepts(origin, [&] { names = member_names(contents, origin); })) {
    return;
  }
  for (const std::string& name : names) {
    Bytes member;
    if (fuzz::accepts(origin, [&] {
          member = read_member(contents, name, origin, [] { return available; });
        })) {
      fuzz::expect(member.size() <= most, "memory has an end");
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const Bytes contents = Bytes::from(std::vector<unsigned char>(data, data + size));
  const std::string origin = "input.xz";
  if (looks_like_archive(contents.view)) {
    read_members(contents, origin);
  }
  if (!compression_of(contents.view).empty()) {
    std::size_t left = available;
    Bytes inflated;
    if (fuzz::accepts(origin, [&] {
          inflated = decompress(contents, origin, [&left] { return left -= left / 4; });
        })) {
      fuzz::expect(inflated.size() > 0 && inflated.size() <= most, "what is accepted holds data");
    }
  }
  return 0;
}
