#include "dnn/core/scratch_memory.hpp"

#include <gtest/gtest.h>

#include <cstdint>
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
      ScratchVector<std::byte> bytes(size, std::byte{7}, ScratchAllocator<std::byte>(memory));
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(bytes.data()) % 64, 0U);
      EXPECT_TRUE(size == 0 || bytes.back() == std::byte{7});
      EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
    }
  }
}

TEST(ScratchMemory, VectorsThatGrowKeepWhatTheyHold) {
  const test::TemporaryFolder folder;
  ScratchVector<int> numbers(ScratchAllocator<int>(ScratchMemory(folder.path())));
  for (int i = 0; i < 300'000; ++i) {
    numbers.push_back(i);
  }
  const ScratchVector<int> moved = std::move(numbers);
  for (int i = 0; i < 300'000; ++i) {
    ASSERT_EQ(moved[static_cast<std::size_t>(i)], i);
  }
}

TEST(ScratchMemory, SaysWhereThereIsNoRoom) {
  const test::TemporaryFolder folder;
  test::expect_error<FileError>(
      [&] { (void)ScratchMemory(folder.path()).allocate(std::size_t{1} << 60); },
      {"data larger than memory", folder.path().c_str()});
  test::expect_error<FileError>([&] { (void)ScratchMemory(folder / "none").allocate(1 << 20); },
                                {"none"});
}

}  // namespace
}  // namespace dnn
