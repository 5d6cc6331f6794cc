#include "dnn/readers/hdf5_lzf_filter.hpp"

#include <algorithm>
#include <cstdlib>

#include "dnn/readers/hdf5_handle.hpp"

namespace dnn {

namespace {

/// What the HDF5 library calls; returns the bytes of `*buffer` that count, 0 for a failure. Values
/// are the filter's version, LZF's version and the bytes of an unpacked chunk. The library does not
/// look whether the bytes that it gets are the chunk's.
std::size_t filter_lzf(unsigned flags, std::size_t count, const unsigned* values,
                       std::size_t packed, std::size_t* capacity, void** buffer) {
  if ((flags & H5Z_FLAG_REVERSE) == 0 || count <= lzf_chunk_value || values[lzf_chunk_value] == 0) {
    return 0;
  }
  const std::size_t room = values[lzf_chunk_value];
  void* const unpacked = std::malloc(room);  // which the library frees
  if (unpacked == nullptr) {
    return 0;
  }
  const auto size = unpack_lzf({static_cast<const std::byte*>(*buffer), packed},
                               {static_cast<std::byte*>(unpacked), room});
  if (size != room) {
    std::free(unpacked);
    return 0;
  }
  std::free(*buffer);
  *buffer = unpacked;
  *capacity = room;
  return room;
}

}  // namespace

std::optional<std::size_t> unpack_lzf(std::span<const std::byte> from, std::span<std::byte> to) {
  std::size_t at = 0;
  std::size_t size = 0;
  const auto next = [&] { return std::to_integer<std::size_t>(from[at++]); };
  while (at < from.size()) {
    const std::size_t control = next();
    if (control < 32) {
      const std::size_t count = control + 1;
      if (count > from.size() - at || count > to.size() - size) {
        return std::nullopt;
      }
      std::copy_n(from.begin() + static_cast<std::ptrdiff_t>(at), count,
                  to.begin() + static_cast<std::ptrdiff_t>(size));
      at += count;
      size += count;
      continue;
    }
    std::size_t count = (control >> 5) + 2;
    const bool is_long = control >> 5 == 7;
    if (from.size() - at < (is_long ? 2U : 1U)) {
      return std::nullopt;
    }
    count += is_long ? next() : 0;
    const std::size_t back = ((control & 0x1f) << 8 | next()) + 1;
    if (back > size || count > to.size() - size) {
      return std::nullopt;
    }
    for (; count > 0; --count, ++size) {  // what is copied may be what was just written
      to[size] = to[size - back];
    }
  }
  return size;
}

void register_lzf_filter() {
  if (H5Zfilter_avail(lzf_filter) <= 0) {
    const H5Z_class2_t filter = {H5Z_CLASS_T_VERS, lzf_filter, 0,         1, "lzf",
                                 nullptr,          nullptr,    filter_lzf};
    H5Zregister(&filter);
  }
}

}  // namespace dnn
