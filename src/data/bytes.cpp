#include "dnn/data/bytes.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "dnn/core/descriptor.hpp"
#include "dnn/core/error.hpp"
#include "dnn/data/mapped_regions.hpp"

namespace dnn {

Bytes map_file(const std::string& path, std::size_t offset, std::size_t count) {
  // Without O_NONBLOCK, opening a pipe that nobody writes to would never return.
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  struct stat status {};
  if (!file.is_open() || ::fstat(file.value(), &status) != 0) {
    throw FileError("read the file", path, errno);
  }
  if (!S_ISREG(status.st_mode)) {
    throw InputError(path + ": not a regular file (a folder or a device cannot be read here)");
  }
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size == 0) {
    throw InputError(path + ": the file is empty");
  }
  void* base = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file.value(), 0);
  if (base == MAP_FAILED) {
    throw FileError("map the file", path, errno);
  }
  const auto region = std::make_shared<const MappedRegion>(base, size, path);
  const std::shared_ptr<const void> owner(base, [size, region](void* p) { ::munmap(p, size); });
  if (offset > size || (count != static_cast<std::size_t>(-1) && count > size - offset)) {
    throw InputError(fmt::format(
        "{}: the file was truncated while it was being read (expected at least {} bytes, found {})",
        path, offset + (count == static_cast<std::size_t>(-1) ? 0 : count), size));
  }
  const auto* bytes = static_cast<const std::byte*>(base);
  return {{bytes + offset, std::min(count, size - offset)}, owner, path, offset};
}

}  // namespace dnn
