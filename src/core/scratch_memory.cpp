#include "dnn/core/scratch_memory.hpp"

#include <fcntl.h>
#include <sys/mman.h>

#include <cerrno>
#include <new>

#include "dnn/core/error.hpp"
#include "dnn/core/nameless_file.hpp"

namespace dnn {

namespace {

constexpr std::align_val_t alignment{64};

void* map_nameless(const std::string& folder, std::size_t bytes) {
  NamelessFile file(folder, folder + "/dnn_train", ".tmp");
  file.stay_nameless();
  // Without its blocks, a full disk would be a bus error later.
  const int code =
      file.is_open() ? ::posix_fallocate(file.descriptor(), 0, static_cast<off_t>(bytes)) : errno;
  void* const base =
      code == 0 ? ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.descriptor(), 0)
                : MAP_FAILED;
  if (base == MAP_FAILED) {
    throw FileError("make a file for data larger than memory", folder, code != 0 ? code : errno);
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
