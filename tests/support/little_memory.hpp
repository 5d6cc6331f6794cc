#pragma once

#include <sys/resource.h>
#include <unistd.h>

#include <cstddef>
#include <fstream>

namespace dnn::test {

/// Lets this process use so many more bytes of addresses.
class LittleMemory {
 public:
  explicit LittleMemory(std::size_t bytes) {
    std::ifstream file("/proc/self/statm");
    std::size_t pages = 0;
    file >> pages;
    ::getrlimit(RLIMIT_AS, &before_);
    rlimit less = before_;
    less.rlim_cur = pages * static_cast<std::size_t>(::sysconf(_SC_PAGE_SIZE)) + bytes;
    ::setrlimit(RLIMIT_AS, &less);
  }
  LittleMemory(const LittleMemory&) = delete;
  LittleMemory& operator=(const LittleMemory&) = delete;
  ~LittleMemory() { ::setrlimit(RLIMIT_AS, &before_); }

 private:
  rlimit before_{};
};

}  // namespace dnn::test
