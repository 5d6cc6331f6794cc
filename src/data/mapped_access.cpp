#include "dnn/data/mapped_access.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>

namespace dnn {

void advise(const Bytes& bytes, MappedAccess access) {
  if (bytes.mapped_path.empty() || bytes.size() == 0) {
    return;
  }
  const std::byte* const begin = bytes.view.data();
  const std::size_t skipped = reinterpret_cast<std::uintptr_t>(begin) %
                              static_cast<std::uintptr_t>(::sysconf(_SC_PAGE_SIZE));
  // It is advice: where it cannot be taken, reading is slower.
  (void)::madvise(const_cast<std::byte*>(begin - skipped), bytes.size() + skipped,
                  access == MappedAccess::at_random ? MADV_RANDOM : MADV_NORMAL);
}

}  // namespace dnn
