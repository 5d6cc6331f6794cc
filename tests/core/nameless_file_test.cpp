#include "dnn/core/nameless_file.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>

#include "dnn/core/output_file.hpp"
#include "dnn/core/temporary_name.hpp"
#include "support/temporary_folder.hpp"

namespace dnn {
namespace {

namespace fs = std::filesystem;

std::string contents(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

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
  EXPECT_EQ(contents(folder / "a"), "one");
  fs::remove(folder / "a");
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(NamelessFile, ReplacesAFileWhereItIsMeantTo) {
  const test::TemporaryFolder folder;
  const std::string path = folder.write("a", "one");
  {
    NamelessFile file(folder.path(), path, ".tmp", NamelessFile::Existing::replaced);
    write(file, "two");
    EXPECT_EQ(contents(path), "one");
    EXPECT_TRUE(file.give_name(path));
    NamelessFile lost(folder.path(), path, ".tmp", NamelessFile::Existing::replaced);
    write(lost, "three");
  }
  EXPECT_EQ(contents(path), "two");
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
  EXPECT_EQ(contents(folder / "b"), "x");
}

}  // namespace
}  // namespace dnn
