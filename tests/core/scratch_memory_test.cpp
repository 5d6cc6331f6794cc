#include "dnn/core/scratch_memory.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <filesystem>

#include "dnn/core/error.hpp"
#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"

namespace dnn {
namespace {

TEST(ScratchMemory, HoldsBytesInMemoryOrInANamelessFile) {
  const test::TemporaryFolder folder;
  for (const ScratchMemory& memory : {ScratchMemory(), ScratchMemory(folder.path())}) {
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{3} << 20}) {
      const auto bytes = memory.allocate(size);
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(bytes.get()) % 64, 0U);
      std::memset(bytes.get(), 7, size);
      EXPECT_TRUE(size == 0 || bytes.get()[size - 1] == std::byte{7});
      EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
    }
  }
}

TEST(ScratchMemory, SaysWhereThereIsNoRoom) {
  const test::TemporaryFolder folder;
  test::expect_error<FileError>(
      [&] { (void)ScratchMemory(folder.path()).allocate(std::size_t{1} << 60); },
      {"data larger than memory", folder.path().c_str()});
  test::expect_error<FileError>([&] { (void)ScratchMemory(folder / "none").allocate(1); },
                                {"none"});
}

}  // namespace
}  // namespace dnn
