#include "dnn/data/bytes.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <limits>

#include "dnn/core/error.hpp"

namespace dnn {

namespace {

/// Closes a file descriptor at the end of its scope; the mapping outlives it.
struct Descriptor {
  int value;
  ~Descriptor() {
    if (value >= 0) {
      ::close(value);
    }
  }
};

/// Ends zlib's stream at the end of its scope.
struct InflateStream {
  z_stream z{};
  ~InflateStream() { inflateEnd(&z); }
};

}  // namespace

Bytes map_file(const std::string& path, std::size_t offset, std::size_t count) {
  // Without O_NONBLOCK, opening a pipe that nobody writes to would never return.
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  struct stat status {};
  if (file.value < 0 || ::fstat(file.value, &status) != 0) {
    throw FileError("read the file", path, errno);
  }
  if (!S_ISREG(status.st_mode)) {
    throw InputError(path +
                     ": not a regular file (a folder, a device or a pipe cannot be read here)");
  }
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size == 0) {
    throw InputError(path + ": the file is empty");
  }
  void* base = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file.value, 0);
  if (base == MAP_FAILED) {
    throw FileError("map the file", path, errno);
  }
  const std::shared_ptr<const void> owner(base, [size](void* p) { ::munmap(p, size); });
  if (offset > size || (count != static_cast<std::size_t>(-1) && count > size - offset)) {
    throw InputError(fmt::format(
        "{}: the file was truncated while it was being read (expected at least {} bytes, found {})",
        path, offset + (count == static_cast<std::size_t>(-1) ? 0 : count), size));
  }
  const auto* bytes = static_cast<const std::byte*>(base);
  return {{bytes + offset, std::min(count, size - offset)}, owner, path, offset};
}

std::vector<std::byte> inflate_gzip(std::span<const std::byte> compressed,
                                    const std::string& origin) {
  InflateStream stream;
  if (inflateInit2(&stream.z, 15 + 16) != Z_OK) {
    throw std::bad_alloc();
  }
  std::vector<std::byte> inflated(std::max<std::size_t>(4 * compressed.size(), 4096));
  std::size_t done = 0;
  std::size_t used = 0;
  while (true) {
    constexpr std::size_t most = std::numeric_limits<uInt>::max();
    if (done == inflated.size()) {
      inflated.resize(2 * inflated.size());
    }
    const std::size_t in = std::min(most, compressed.size() - used);
    const std::size_t out = std::min(most, inflated.size() - done);
    stream.z.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(compressed.data() + used));
    stream.z.avail_in = static_cast<uInt>(in);
    stream.z.next_out = reinterpret_cast<Bytef*>(inflated.data() + done);
    stream.z.avail_out = static_cast<uInt>(out);
    const int status = inflate(&stream.z, Z_NO_FLUSH);
    used += in - stream.z.avail_in;
    done += out - stream.z.avail_out;
    if (status == Z_STREAM_END) {
      if (used == compressed.size()) {
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
  inflated.resize(done);
  if (inflated.empty()) {
    throw InputError(origin + ": the file holds no data (empty after decompression)");
  }
  return inflated;
}

Bytes read_contents(const std::string& path) {
  Bytes file = map_file(path);
  const bool gzip =
      file.size() >= 2 && file.view[0] == std::byte{0x1f} && file.view[1] == std::byte{0x8b};
  return gzip ? Bytes::from(inflate_gzip(file.view, path)) : file;
}

}  // namespace dnn
