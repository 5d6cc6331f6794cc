#include "dnn/core/nameless_file.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <span>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "dnn/core/output_file.hpp"
#include "dnn/core/temporary_name.hpp"
#include "support/temporary_folder.hpp"

namespace dnn {
namespace {

namespace fs = std::filesystem;
using test::read_file;

void write(const NamelessFile& file, const std::string& text) {
  ASSERT_TRUE(write_all(file.descriptor(), std::as_bytes(std::span(text))));
}

TEST(NamelessFile, HasTheNameThatItIsGivenOrNone) {
  const test::TemporaryFolder folder;
  {
    NamelessFile file(folder.path(), folder / "a", ".tmp");
    ASSERT_TRUE(file.is_open());
    write(file, "one");
    EXPECT_TRUE(fs::is_empty(folder.path()));
    EXPECT_TRUE(file.give_name(folder / "a"));
    NamelessFile lost(folder.path(), folder / "b", ".tmp");
    write(lost, "two");
  }
  EXPECT_EQ(read_file(folder / "a"), "one");
  fs::remove(folder / "a");
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(NamelessFile, ReplacesAFileWhereItIsMeantTo) {
  const test::TemporaryFolder folder;
  const std::string path = folder.write("a", "one");
  {
    NamelessFile file(folder.path(), path, ".tmp", NamelessFile::Existing::replaced);
    write(file, "two");
    EXPECT_EQ(test::read_file(path), "one");
    EXPECT_TRUE(file.give_name(path));
    NamelessFile lost(folder.path(), path, ".tmp", NamelessFile::Existing::replaced);
    write(lost, "three");
  }
  EXPECT_EQ(test::read_file(path), "two");
  fs::remove(path);
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(NamelessFile, SaysThatItCannotBe) {
  const test::TemporaryFolder folder;
  const NamelessFile file(folder / "none", folder / "none/a", ".tmp");
  EXPECT_EQ(errno, ENOENT);
  EXPECT_FALSE(file.is_open());
  NamelessFile other(folder.path(), folder / "b", ".tmp");
  EXPECT_FALSE(other.give_name(folder / "none/b"));
  EXPECT_EQ(errno, ENOENT);
}

// Another process looks for what killed ones have left, and finds a name before it is locked. /proc
// has no nameless files, so the file gets a temporary name.
TEST(NamelessFile, NeverLosesItsTemporaryNameToAnotherProcess) {
  const test::TemporaryFolder folder;
  std::atomic<bool> is_done = false;
  std::thread other([&] {
    while (!is_done) {
      std::error_code error;
      for (const auto& entry : fs::directory_iterator(folder.path(), error)) {
        if (entry.path().extension() == ".tmp") {
          remove_if_left(entry.path());
        }
      }
    }
  });
  for (int i = 0; i < 5'000; ++i) {
    NamelessFile file("/proc", folder / "a", ".tmp");
    EXPECT_TRUE(file.is_open()) << errno;
    EXPECT_FALSE(fs::is_empty(folder.path()));
    EXPECT_TRUE(file.give_name(folder / "b")) << errno;
  }
  is_done = true;
  other.join();
  fs::remove(folder / "b");
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(TemporaryName, IsRemovedHoweverItsScopeEnds) {
  const test::TemporaryFolder folder;
  const std::string path = folder.write("a", "x");
  try {
    const TemporaryName name(path);
    throw std::runtime_error("an error");
  } catch (const std::runtime_error&) {
    EXPECT_FALSE(fs::exists(path));
  }
  folder.write("a", "x");
  {
    TemporaryName first(path);
    TemporaryName second = std::move(first);
    EXPECT_TRUE(fs::exists(path));
    errno = EIO;
    second = TemporaryName();
    EXPECT_EQ(errno, EIO);
    EXPECT_FALSE(fs::exists(path));
  }
  folder.write("a", "x");
  {
    TemporaryName name(path);
    EXPECT_FALSE(name.rename_to(folder / "none/b"));
    EXPECT_TRUE(name.rename_to(folder / "b"));
    EXPECT_TRUE(name.is_empty());
  }
  EXPECT_EQ(read_file(folder / "b"), "x");
}

}  // namespace
}  // namespace dnn
