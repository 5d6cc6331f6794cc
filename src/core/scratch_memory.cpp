#include "dnn/core/scratch_memory.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <new>

#include "dnn/core/error.hpp"
#include "dnn/core/output_file.hpp"

namespace dnn {

namespace {

constexpr std::align_val_t alignment{64};

/// A file without a name, -1 with errno set. Where the file system has none, it loses its name at
/// once.
int open_nameless(const std::string& folder) {
  const int descriptor = open_file(folder, O_TMPFILE | O_RDWR | O_CLOEXEC);
  if (descriptor >= 0 || !(means_unsupported(errno) || errno == EISDIR)) {
    return descriptor;
  }
  std::string name = folder + "/dnn_train-XXXXXX";
  const int named = ::mkostemp(name.data(), O_CLOEXEC);
  if (named >= 0) {
    ::unlink(name.c_str());
  }
  return named;
}

void* map_nameless(const std::string& folder, std::size_t bytes) {
  const int descriptor = open_nameless(folder);
  if (descriptor < 0) {
    throw FileError("make a file for data larger than memory", folder, errno);
  }
  // Without its blocks, a full disk would be a bus error later.
  const int code = ::posix_fallocate(descriptor, 0, static_cast<off_t>(bytes));
  void* const base = code == 0
                         ? ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
                         : MAP_FAILED;
  const int reason = code != 0 ? code : errno;
  ::close(descriptor);
  if (base == MAP_FAILED) {
    throw FileError("make a file for data larger than memory", folder, reason);
  }
  return base;
}

}  // namespace

void* ScratchMemory::allocate(std::size_t bytes) const {
  return maps(bytes) ? map_nameless(*folder_, bytes) : ::operator new(bytes, alignment);
}

void ScratchMemory::release(void* memory, std::size_t bytes) const noexcept {
  if (maps(bytes)) {
    ::munmap(memory, bytes);
  } else {
    ::operator delete(memory, alignment);
  }
}

}  // namespace dnn
