#include "dnn/checkpoint/run_folder.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>
#include <string>
#include <thread>
#include <vector>

#include "dnn/core/error.hpp"
#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"

namespace dnn {
namespace {

using test::expect_error;
using test::TemporaryFolder;

TEST(RunFolder, AnExistingRunIsNotOverwrittenUnlessToldTo) {
  const TemporaryFolder folder;
  EXPECT_EQ(RunFolder::choose(folder.path(), false).path(), folder.path());
  for (const char* name : {"model.dnn", "last.dnn", "metrics.jsonl", "summary.json",
                           "confusion.csv", "evaluation.json", "report.html"}) {
    const auto file = folder.write(name, "precious");
    expect_error<InputError>([&] { (void)RunFolder::choose(folder.path(), false); },
                             {"--output", folder.path().c_str(), "--overwrite"});
    const RunFolder again = RunFolder::choose(folder.path(), true);
    EXPECT_TRUE(std::filesystem::exists(file));  // choosing changes nothing
    again.prepare(1);
    EXPECT_TRUE(std::filesystem::exists(file));  // so does making sure that it can be used
    again.clear();
    EXPECT_FALSE(std::filesystem::exists(file));
  }
}

TEST(RunFolder, OtherFilesOfTheFolderStay) {
  const TemporaryFolder folder;
  const auto notes = folder.write("notes.txt", "mine");
  const RunFolder run = RunFolder::choose(folder.path(), true);
  run.prepare(1);
  run.clear();
  EXPECT_EQ(test::read_file(notes), "mine");
}

TEST(RunFolder, TheFirstFreeNumberWithoutAName) {
  const TemporaryFolder folder;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  EXPECT_EQ(RunFolder::choose("", false).path(), "runs/001");
  RunFolder::choose("", false).prepare(1);
  EXPECT_EQ(RunFolder::choose("", false).path(), "runs/002");
  EXPECT_EQ(RunFolder::prepare_numbered(1).path(), "runs/002");
  EXPECT_THROW((void)RunFolder::prepare_numbered(std::size_t{1} << 60), InputError);
  EXPECT_FALSE(std::filesystem::exists("runs/003"));
  std::filesystem::current_path(before);
}

TEST(RunFolder, JobsThatStartTogetherGetFoldersOfTheirOwn) {
  const TemporaryFolder folder;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  std::vector<std::string> paths(8);
  std::vector<std::thread> jobs;
  for (std::string& path : paths) {
    jobs.emplace_back([&path] { path = RunFolder::prepare_numbered(1).path(); });
  }
  for (std::thread& job : jobs) {
    job.join();
  }
  EXPECT_EQ(std::set<std::string>(paths.begin(), paths.end()).size(), paths.size());
  std::filesystem::current_path(before);
}

TEST(RunFolder, WhatCannotBeWrittenIsFoundBeforeTraining) {
  const TemporaryFolder folder;
  const auto file = folder.write("file", "");
  expect_error<FileError>([&] { RunFolder(file + "/run").prepare(1); }, {file.c_str()});
  expect_error<InputError>([&] { RunFolder(folder / "run").prepare(std::size_t{1} << 60); },
                           {"MiB left", "--output"});
  EXPECT_FALSE(std::filesystem::exists(folder / "run"));
}

TEST(RunFolder, ARefusedRunLeavesTheEarlierOne) {
  const TemporaryFolder folder;
  const auto model = folder.write("model.dnn", "precious");
  EXPECT_THROW(RunFolder::choose(folder.path(), true).prepare(std::size_t{1} << 60), InputError);
  EXPECT_EQ(test::read_file(model), "precious");
}

// Root may write anywhere, so the check runs as another user.
TEST(RunFolder, AReadOnlyFolder) {
  const TemporaryFolder folder;
  std::filesystem::permissions(folder.path(), std::filesystem::perms{0555});
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    if (::geteuid() == 0 && ::setuid(65534) != 0) {
      ::_exit(3);
    }
    try {
      RunFolder(folder.path()).prepare(1);
      ::_exit(1);
    } catch (const FileError& error) {
      ::_exit(std::string(error.what()).find("folder: " + folder.path() + ": Permission denied") !=
                      std::string::npos
                  ? 0
                  : 2);
    }
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  std::filesystem::permissions(folder.path(), std::filesystem::perms{0755});
}

}  // namespace
}  // namespace dnn
