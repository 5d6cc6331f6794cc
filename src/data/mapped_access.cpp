#include "dnn/data/mapped_access.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>

namespace dnn {

void advise(const Bytes& bytes, MappedAccess access) {
  if (bytes.mapped_path.empty() || bytes.size() == 0) {
    return;
  }
  const auto begin = reinterpret_cast<std::uintptr_t>(bytes.view.data());
  const std::uintptr_t skipped = begin % static_cast<std::uintptr_t>(::sysconf(_SC_PAGE_SIZE));
  // It is advice: where it cannot be taken, reading is slower.
  (void)::madvise(reinterpret_cast<void*>(begin - skipped), bytes.size() + skipped,
                  access == MappedAccess::at_random ? MADV_RANDOM : MADV_NORMAL);
}

}  // namespace dnn
