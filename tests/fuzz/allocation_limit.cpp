#include "fuzz/allocation_limit.hpp"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <new>

#if defined(__SANITIZE_ADDRESS__)
#define DNN_FUZZ_HOOKS
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define DNN_FUZZ_HOOKS
#endif
#endif

#ifdef DNN_FUZZ_HOOKS
// Of sanitizer/allocator_interface.h, which GCC does not bring.
extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*on_allocation)(const volatile void*,
                                                                               std::size_t),
                                                         void (*on_free)(const volatile void*));
extern "C" std::size_t __sanitizer_get_allocated_size(const volatile void* memory);
#else
#include <malloc.h>
#endif

namespace {

constexpr std::size_t any = std::numeric_limits<std::size_t>::max();

std::atomic<std::size_t> held{0};
std::atomic<std::size_t> most_held{any};

/// Ends the program if so many bytes more than now are too many.
void check_limit(std::size_t bytes) {
  const std::size_t most = most_held;
  if (bytes > most || held > most - bytes) {
    most_held = any;
    std::fprintf(stderr, "invariant broken: %zu bytes more than %zu, at most %zu are allowed\n",
                 bytes, held.load(), most);
    std::abort();
  }
}

}  // namespace

#ifdef DNN_FUZZ_HOOKS

// The address sanitizer has its own operator new, and tells of what it and malloc give.
namespace {

void on_allocation(const volatile void* /*memory*/, std::size_t bytes) {
  check_limit(bytes);
  held += bytes;
}

void on_free(const volatile void* memory) {
  held -= __sanitizer_get_allocated_size(memory);
}

const int installed = __sanitizer_install_malloc_and_free_hooks(on_allocation, on_free);

}  // namespace

#else

void* operator new(std::size_t bytes) {
  check_limit(bytes);
  void* const memory = std::malloc(bytes);
  if (memory == nullptr) {
    throw std::bad_alloc();
  }
  held += malloc_usable_size(memory);
  return memory;
}

void operator delete(void* memory) noexcept {
  held -= malloc_usable_size(memory);
  std::free(memory);
}

void operator delete(void* memory, std::size_t /*bytes*/) noexcept {
  operator delete(memory);
}

#endif

namespace dnn::fuzz {

AllocationLimit::AllocationLimit(std::size_t bytes) {
#ifdef DNN_FUZZ_HOOKS
  if (installed == 0) {
    std::abort();
  }
#endif
  most_held = held + bytes;
}

AllocationLimit::~AllocationLimit() {
  most_held = any;
}

}  // namespace dnn::fuzz
