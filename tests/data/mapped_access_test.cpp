#include "dnn/data/mapped_access.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

#include "dnn/core/descriptor.hpp"
#include "dnn/core/temporary_name.hpp"
#include "support/temporary_folder.hpp"

namespace dnn {
namespace {

/// The flags that the system keeps of the mapped region at an address ("rr": read at random).
std::string flags_at(const void* address) {
  const auto wanted = reinterpret_cast<std::uintptr_t>(address);
  std::ifstream file("/proc/self/smaps");
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (std::uintptr_t begin = 0, end = 0;
        line.find('-') < line.find(' ') && std::isxdigit(static_cast<unsigned char>(line[0]))) {
      char dash = 0;
      std::istringstream(line) >> std::hex >> begin >> dash >> end;
      inside = begin <= wanted && wanted < end;
    } else if (inside && line.starts_with("VmFlags:")) {
      return line + " ";
    }
  }
  return {};
}

TEST(MappedAccess, IsToldToTheSystem) {
  const test::TemporaryFolder folder;
  const Bytes whole = map_file(folder.write("d", std::string(100'000, 'x')));
  const Bytes part = whole.part(5000, 60'000);
  const std::byte* const last = part.view.data() + part.size() - 1;
  for (const void* address :
       {static_cast<const void*>(part.view.data()), static_cast<const void*>(last)}) {
    advise(part, MappedAccess::at_random);
    EXPECT_NE(flags_at(address).find(" rr "), std::string::npos) << flags_at(address);
    advise(part, MappedAccess::in_order);
    EXPECT_EQ(flags_at(address).find(" rr "), std::string::npos) << flags_at(address);
  }
  EXPECT_NE(flags_at(last), "");
  // What lies in memory is left alone.
  const Bytes copied = Bytes::from(std::vector<char>(1 << 20));
  advise(copied, MappedAccess::at_random);
  EXPECT_EQ(flags_at(copied.view.data()).find(" rr "), std::string::npos);
}

/// A new file of 4,000,000 bytes, mapped, whose pages have left the memory where the file system
/// has a disk.
Bytes file_out_of_memory(const std::string& path) {
  std::ofstream(path) << std::string(4'000'000, 'x');
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  EXPECT_TRUE(file.is_open()) << path;
  EXPECT_EQ(::fsync(file.value()), 0);
  EXPECT_EQ(::posix_fadvise(file.value(), 0, 0, POSIX_FADV_DONTNEED), 0);
  Bytes whole = map_file(path);
  advise(whole, MappedAccess::at_random);
  return whole;
}

TEST(MappedAccess, RequestedPagesComeWithoutBeingTouched) {
  const test::TemporaryFolder folder;
  const TemporaryName beside_the_tests("mapped_access_test." + std::to_string(::getpid()));
  Bytes whole = file_out_of_memory(folder / "d");
  if (are_in_memory(pages_of(whole.view))) {
    whole = file_out_of_memory(beside_the_tests.path());
  }
  if (are_in_memory(pages_of(whole.view))) {
    GTEST_SKIP() << "in " << folder.path() << " and in " << std::filesystem::current_path()
                 << " the pages of a file never leave the memory (tmpfs): set TMPDIR to a folder "
                    "on a disk";
  }
  const auto pages = pages_of(whole.view.subspan(5000, 3'000'000));
  EXPECT_LE(pages.data(), whole.view.data() + 5000);
  EXPECT_GE(pages.data() + pages.size(), whole.view.data() + 3'005'000);
  ASSERT_FALSE(are_in_memory(pages));
  request_pages(pages);
  for (int wait = 0; wait < 1000 && !are_in_memory(pages); ++wait) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_TRUE(are_in_memory(pages));
  release_pages(pages);
  EXPECT_EQ(whole.view[2'000'000], std::byte{'x'});
}

}  // namespace
}  // namespace dnn
