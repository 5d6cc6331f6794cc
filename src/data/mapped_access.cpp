#include "dnn/data/mapped_access.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>

namespace dnn {

namespace {

std::uintptr_t page_size() {
  return static_cast<std::uintptr_t>(::sysconf(_SC_PAGE_SIZE));
}

/// Of the pages that lie in a piece of memory as a whole. It is advice: where it cannot be taken,
/// memory is given back later.
void give_pages_back(const void* memory, std::size_t bytes) {
  const std::uintptr_t page = page_size();
  const auto first = reinterpret_cast<std::uintptr_t>(memory);
  const std::uintptr_t begin = (first + page - 1) / page * page;
  const std::uintptr_t end = (first + bytes) / page * page;
  if (begin < end) {
    (void)::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
  }
}

}  // namespace

void forget_mapped(std::string_view text) {
  give_pages_back(text.data(), text.size());
}

void discard(std::span<const std::byte> bytes) {
  give_pages_back(bytes.data(), bytes.size());
}

void advise(const Bytes& bytes, MappedAccess access) {
  if (bytes.mapped_path.empty() || bytes.size() == 0) {
    return;
  }
  const std::byte* const begin = bytes.view.data();
  const std::size_t skipped = reinterpret_cast<std::uintptr_t>(begin) % page_size();
  // It is advice: where it cannot be taken, reading is slower.
  (void)::madvise(const_cast<std::byte*>(begin - skipped), bytes.size() + skipped,
                  access == MappedAccess::at_random ? MADV_RANDOM : MADV_NORMAL);
}

}  // namespace dnn
