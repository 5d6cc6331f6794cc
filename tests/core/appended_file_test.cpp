#include "dnn/core/appended_file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "dnn/core/error.hpp"
#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"

namespace dnn {
namespace {

namespace fs = std::filesystem;
using test::read_file;
using test::TemporaryFolder;

TEST(AppendedFile, GrowsWithEachFlushAndContinuesAFile) {
  const TemporaryFolder folder;
  const std::string path = folder.write("log", "before\n");
  AppendedFile file(path);
  file.add("one\n");
  EXPECT_EQ(read_file(path), "before\n");
  file.flush();
  file.add("two\n");
  file.flush();
  file.flush();
  EXPECT_EQ(read_file(path), "before\none\ntwo\n");
  AppendedFile begun(folder / "new");
  begun.flush();
  EXPECT_FALSE(fs::exists(folder / "new"));
  begun.add("first\n");
  begun.flush();
  EXPECT_EQ(read_file(folder / "new"), "first\n");
}

TEST(AppendedFile, MakesUpForWhatCouldNotBeWritten) {
  const TemporaryFolder folder;
  fs::create_directory(folder / "sub");
  AppendedFile file(folder / "sub/log");
  file.add("one\n");
  file.flush();
  fs::rename(folder / "sub", folder / "away");
  file.add("two\n");
  test::expect_error<FileError>([&] { file.flush(); }, {"sub/log"});
  file.add("three\n");
  test::expect_error<FileError>([&] { file.flush(); }, {"sub/log"});
  fs::rename(folder / "away", folder / "sub");
  std::ofstream(folder / "sub/log", std::ios::app) << "half of tw";  // as a full disk leaves it
  file.flush();
  EXPECT_EQ(read_file(folder / "sub/log"), "one\ntwo\nthree\n");
  fs::remove(folder / "sub/log");  // somebody removed it: it begins again
  file.add("four\n");
  file.flush();
  EXPECT_EQ(read_file(folder / "sub/log"), "four\n");
}

// As after a rollback: the file is shorter than what was written to it.
TEST(AppendedFile, ContinuesAFileThatSomebodyElseHasCutBack) {
  const TemporaryFolder folder;
  const std::string path = folder / "log";
  AppendedFile file(path);
  file.add("one\ntwo\nthree\n");
  file.flush();
  file.add("dropped\n");
  folder.write("log", "one\n");
  file.begin_again();
  // The disk is full amid the next line: that half counts for nothing.
  fs::rename(path, folder / "away");
  fs::create_directory(path);
  file.add("again\n");
  EXPECT_THROW(file.flush(), FileError);
  fs::remove(path);
  fs::rename(folder / "away", path);
  std::ofstream(path, std::ios::app) << "aga";
  file.flush();
  EXPECT_EQ(read_file(path), "one\nagain\n");
}

TEST(AppendedFile, IsWholeAgainOnceSomebodyElseHasMendedIt) {
  const TemporaryFolder folder;
  const std::string path = folder.write("log", "one\n");
  AppendedFile file(path);
  fs::rename(path, folder / "away");
  fs::create_directory(path);
  file.add("two\n");
  EXPECT_THROW(file.flush(), FileError);
  fs::remove(path);
  folder.write("log", "one\nother\n");
  file.begin_again();
  file.add("three\n");
  file.flush();
  EXPECT_EQ(read_file(path), "one\nother\nthree\n");
}

TEST(AppendedFile, FollowsNoLink) {
  const TemporaryFolder folder;
  const std::string other = folder.write("other", "mine");
  fs::create_symlink(other, folder / "log");
  AppendedFile file(folder / "log");
  file.add("text");
  EXPECT_THROW(file.flush(), FileError);
  EXPECT_EQ(read_file(other), "mine");
}

}  // namespace
}  // namespace dnn
