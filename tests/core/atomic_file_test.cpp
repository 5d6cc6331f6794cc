#include "dnn/core/atomic_file.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <string>

#include "dnn/core/error.hpp"
#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"

namespace dnn {
namespace {

using test::read_file;
using test::TemporaryFolder;

TEST(AtomicFile, ReplacesTheWholeFileAndLeavesNoOther) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "a", std::string("first"));
  write_file_atomically(folder / "a", std::string("second"));
  EXPECT_EQ(read_file(folder / "a"), "second");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

// What happens on a full disk: the write fails part of the way. The old file stays whole.
// Root may make a device of its own to try it on; others may not replace the machine's anyway.
TEST(AtomicFile, NoDeviceIsReplaced) {
  const TemporaryFolder folder;
  const std::string own = folder / "null";
  const std::string device =
      ::mknod(own.c_str(), S_IFCHR | 0600, makedev(1, 3)) == 0 ? own : "/dev/null";
  EXPECT_THROW(write_file_atomically(device, std::string("new")), FileError);
  EXPECT_TRUE(std::filesystem::is_character_file(device));
}

TEST(AtomicFile, AFailedWriteLeavesTheOldFileAndNothingElse) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "a", std::string("old"));
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{4096, 4096};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    try {
      write_file_atomically(folder / "a", std::string(1 << 20, 'x'));
      ::_exit(1);
    } catch (const FileError& error) {
      ::_exit(std::string(error.what()).find("File too large") != std::string::npos ? 0 : 2);
    }
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  EXPECT_EQ(read_file(folder / "a"), "old");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

TEST(CheckOutput, NoInputIsOverwrittenByWhateverName) {
  const TemporaryFolder folder;
  const std::string input = folder.write("input", "years of work");
  std::filesystem::create_symlink(input, folder / "link");
  std::filesystem::create_hard_link(input, folder / "second_name");
  for (const std::string& name :
       {input, folder / "link", folder / "second_name", folder / "./input"}) {
    for (const bool overwrite : {false, true}) {
      test::expect_error<InputError>(
          [&] {
            check_output(name, overwrite, {folder / "gone", input});
          },
          {"--output", name.c_str(), "is an input of the same command", "name another file"});
    }
  }
  const std::string other = folder.write("other", "");
  EXPECT_THROW(check_output(other, false, {input}), InputError);
  EXPECT_NO_THROW(check_output(other, true, {input}));
  EXPECT_NO_THROW(check_output(folder / "new", false, {input, folder / "new"}));
}

}  // namespace
}  // namespace dnn
