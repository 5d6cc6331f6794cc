#include "dnn/data/mapped_access.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace dnn {

namespace {

std::uintptr_t page_size() {
  return static_cast<std::uintptr_t>(::sysconf(_SC_PAGE_SIZE));
}

/// Of the pages that are wholly in a piece of memory. It is advice: where it cannot be taken,
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

/// It is advice: where it cannot be taken, reading is slower.
void advise_on(std::span<const std::byte> pages, int advice) {
  (void)::madvise(const_cast<std::byte*>(pages.data()), pages.size(), advice);
}

}  // namespace

void forget_mapped(std::string_view text) {
  give_pages_back(text.data(), text.size());
}

void discard(std::span<const std::byte> bytes) {
  give_pages_back(bytes.data(), bytes.size());
}

std::span<const std::byte> pages_of(std::span<const std::byte> bytes) {
  const std::size_t page = page_size();
  const std::size_t skipped = reinterpret_cast<std::uintptr_t>(bytes.data()) % page;
  return {bytes.data() - skipped, (skipped + bytes.size() + page - 1) / page * page};
}

bool are_in_memory(std::span<const std::byte> pages) {
  std::vector<unsigned char> present(pages.size() / page_size());
  return ::mincore(const_cast<std::byte*>(pages.data()), pages.size(), present.data()) == 0 &&
         std::all_of(present.begin(), present.end(),
                     [](unsigned char flags) { return (flags & 1) != 0; });
}

void request_pages(std::span<const std::byte> pages) {
  // Of one request, the system reads no more than the device's read-ahead, usually 128 KiB.
  constexpr std::size_t most = std::size_t{128} << 10;
  for (std::size_t begin = 0; begin < pages.size(); begin += most) {
    advise_on(pages.subspan(begin, std::min(most, pages.size() - begin)), MADV_WILLNEED);
  }
}

void release_pages(std::span<const std::byte> pages) {
  constexpr int cold = 20;  // MADV_COLD, since Linux 5.4
  advise_on(pages, cold);
}

void advise(const Bytes& bytes, MappedAccess access) {
  if (!bytes.mapped_path.empty() && bytes.size() > 0) {
    advise_on(pages_of(bytes.view), access == MappedAccess::at_random ? MADV_RANDOM : MADV_NORMAL);
  }
}

}  // namespace dnn
