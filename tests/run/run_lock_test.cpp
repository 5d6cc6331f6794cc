#include "dnn/run/run_lock.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <optional>

#include "dnn/core/error.hpp"
#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"

namespace dnn {
namespace {

using namespace std::chrono_literals;
using test::expect_error;
using test::TemporaryFolder;

/// A process that holds the folder's lock until it is killed.
class Holder {
 public:
  explicit Holder(const std::string& path) {
    int ready[2];
    EXPECT_EQ(::pipe(ready), 0);
    process_ = ::fork();
    if (process_ == 0) {
      try {
        const RunLock lock = RunLock::take(path, 0ms);
        (void)!::write(ready[1], "x", 1);
        for (;;) {
          ::pause();
        }
      } catch (const InputError&) {
        ::_exit(1);
      }
    }
    char byte = 0;
    EXPECT_EQ(::read(ready[0], &byte, 1), 1);
    ::close(ready[0]);
    ::close(ready[1]);
  }
  void kill() {
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
  }
  [[nodiscard]] pid_t process() const { return process_; }

 private:
  pid_t process_ = -1;
};

TEST(RunLock, OneAtATime) {
  const TemporaryFolder folder;
  std::optional<RunLock> lock = RunLock::take(folder.path(), 0ms);
  EXPECT_EQ(lock->stale(), "");
  expect_error<InputError>([&] { (void)RunLock::take(folder.path(), 100ms); },
                           {folder.path().c_str(), "in use", "host", "process", "--output"});
  lock.reset();
  EXPECT_FALSE(std::filesystem::exists(folder / ".lock"));
  EXPECT_EQ(RunLock::take(folder.path(), 0ms).stale(), "");
}

TEST(RunLock, OfALivingProcessNamesIt) {
  const TemporaryFolder folder;
  Holder holder(folder.path());
  expect_error<InputError>([&] { (void)RunLock::take(folder.path(), 0ms); },
                           {("process " + std::to_string(holder.process())).c_str()});
  holder.kill();
}

TEST(RunLock, OfADeadProcessIsStale) {
  const TemporaryFolder folder;
  Holder holder(folder.path());
  holder.kill();
  EXPECT_TRUE(std::filesystem::exists(folder / ".lock"));
  const RunLock lock = RunLock::take(folder.path(), 0ms);
  EXPECT_NE(lock.stale().find("process " + std::to_string(holder.process())), std::string::npos);
}

TEST(RunLock, AFolderIsSurelyFreeWhereNoJobCanHoldIt) {
  const TemporaryFolder folder;
  EXPECT_TRUE(RunLock::is_surely_free(folder.path()));
  EXPECT_FALSE(RunLock::is_surely_free(folder / "none"));
  Holder holder(folder.path());
  EXPECT_FALSE(RunLock::is_surely_free(folder.path()));
  holder.kill();
  EXPECT_TRUE(RunLock::is_surely_free(folder.path()));
  EXPECT_TRUE(std::filesystem::exists(folder / ".lock"));
  std::optional<RunLock> lock = RunLock::take(folder.path(), 0ms);
  EXPECT_FALSE(RunLock::is_surely_free(folder.path()));
  lock.reset();
  EXPECT_TRUE(RunLock::is_surely_free(folder.path()));
}

TEST(RunLock, AFolderThatAnotherHostsJobMayHoldIsNotSurelyFree) {
  const TemporaryFolder folder;
  for (const char* owner : {"host another, process 1\n", ""}) {
    folder.write(".lock", owner);
    EXPECT_FALSE(RunLock::is_surely_free(folder.path())) << owner;
  }
}

TEST(RunLock, MovedFromHoldsNothing) {
  const TemporaryFolder folder;
  const TemporaryFolder other;
  RunLock first = RunLock::take(folder.path(), 0ms);
  RunLock second = RunLock::take(other.path(), 0ms);
  second = std::move(first);
  EXPECT_FALSE(std::filesystem::exists(other / ".lock"));
  EXPECT_TRUE(std::filesystem::exists(folder / ".lock"));
}

TEST(RunLock, AFolderThatIsNoneIsAnError) {
  expect_error<FileError>([] { (void)RunLock::take("/no/such/folder", 0ms); }, {"/no/such/folder"});
}

}  // namespace
}  // namespace dnn
