#include "dnn/watch/run_list.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "dnn/core/error.hpp"
#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"

namespace dnn {
namespace {

namespace fs = std::filesystem;
using test::expect_error;
using test::TemporaryFolder;
using Names = std::vector<std::string>;

TEST(RunList, FindsRunsInTheFolderAndNoOthers) {
  const TemporaryFolder folder;
  const TemporaryFolder elsewhere;
  elsewhere.write("metrics.jsonl", "");
  for (const char* name : {"runs", "runs/b", "runs/a", "runs/empty"}) {
    fs::create_directory(folder / name);
  }
  folder.write("runs/b/metrics.jsonl", "");
  folder.write("runs/a/run.json", "{}");
  fs::create_directory_symlink(elsewhere.path(), folder / "runs/link");
  const RunList list(folder / "runs");
  EXPECT_EQ(list.names(), (Names{"a", "b"}));
  EXPECT_TRUE(list.folder_of("a").ends_with("runs/a"));
  for (const char* name : {"..", "../runs/a", "/etc", "link", "", "a/../b", "."}) {
    expect_error<InputError>([&] { (void)list.folder_of(name); }, {"no run"});
  }
  EXPECT_EQ(RunList(folder / "runs/a").names(), Names{"."});
  expect_error<InputError>([&] { (void)RunList(folder / "none"); }, {"none", "no such folder"});
}

TEST(RunList, TheVersionChangesWithTheFiles) {
  const TemporaryFolder folder;
  folder.write("metrics.jsonl", "{}\n");
  const std::string before = version_of_run(folder.path());
  EXPECT_EQ(version_of_run(folder.path()), before);
  folder.write("metrics.jsonl", "{}\n{}\n");
  EXPECT_NE(version_of_run(folder.path()), before);
}

}  // namespace
}  // namespace dnn
