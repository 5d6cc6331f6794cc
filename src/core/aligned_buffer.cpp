#include "dnn/core/aligned_buffer.hpp"

#include <sys/mman.h>

namespace dnn {

void detail::prefer_huge_pages([[maybe_unused]] void* memory, [[maybe_unused]] std::size_t bytes) {
#ifdef MADV_HUGEPAGE
  // A kernel without them refuses, and the pages are small ones.
  [[maybe_unused]] const int refused = ::madvise(memory, bytes, MADV_HUGEPAGE);
#endif
}

}  // namespace dnn
