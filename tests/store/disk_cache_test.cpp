#include "dnn/store/disk_cache.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "dnn/core/descriptor.hpp"
#include "dnn/core/error.hpp"
#include "dnn/readers/open_dataset.hpp"
#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"

namespace dnn {
namespace {

DiskCache::Parts digits() {
  return {open_dataset(builtin_digits_name, Part::train, ReadOptions{}), {}, std::nullopt, {}};
}

/// Counts how often it is asked for the digits.
struct Reader {
  int times = 0;
  DiskCache::Parts operator()() {
    ++times;
    return digits();
  }
};

std::size_t files_in(const std::string& folder) {
  const std::filesystem::directory_iterator begin(folder);
  return static_cast<std::size_t>(std::distance(begin, std::filesystem::directory_iterator()));
}

TEST(DiskCache, HoldsTheDataSetsAndIsFoundAgain) {
  const test::TemporaryFolder folder;
  Reader reader;
  const Dataset whole = digits().train;
  for (int time = 0; time < 2; ++time) {
    DiskCache cache(folder.path(), "train and test");
    const DiskCache::Parts parts = cache.find_or_make([&] {
      DiskCache::Parts made = reader();
      made.test = made.train;
      made.test->origin = "the test part";
      return made;
    });
    EXPECT_EQ(digest_of(parts.train), digest_of(whole));
    ASSERT_TRUE(parts.test);
    EXPECT_EQ(parts.test->origin, "the test part");
    EXPECT_EQ(digest_of(*parts.test), digest_of(whole));
    EXPECT_EQ(parts.train.values.mapped_path, cache.path());
    EXPECT_EQ(parts.train.notes, whole.notes);
  }
  EXPECT_EQ(reader.times, 1);
  EXPECT_EQ(files_in(folder.path()), 1U);
}

TEST(DiskCache, NobodyElseCanReadTheFileOrHasWrittenIt) {
  const test::TemporaryFolder folder;
  Reader reader;
  DiskCache cache(folder.path(), "a");
  (void)cache.find_or_make(reader);
  const auto mode = std::filesystem::status(cache.path()).permissions();
  EXPECT_EQ(mode, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  std::filesystem::permissions(cache.path(), std::filesystem::perms::group_write,
                               std::filesystem::perm_options::add);
  test::expect_error<InputError>([&] { (void)DiskCache(folder.path(), "a").find_or_make(reader); },
                                 {"this user alone can write"});
}

TEST(DiskCache, IsAnotherFileForOtherData) {
  const test::TemporaryFolder folder;
  Reader reader;
  (void)DiskCache(folder.path(), "a").find_or_make(reader);
  (void)DiskCache(folder.path(), "b").find_or_make(reader);
  EXPECT_EQ(reader.times, 2);
  EXPECT_EQ(files_in(folder.path()), 2U);
}

// A byte of the rows, of the header, of the length of the header; and a file that ends early.
TEST(DiskCache, IsMadeAnewWhereItIsDamaged) {
  const test::TemporaryFolder folder;
  Reader reader;
  const std::string path = DiskCache(folder.path(), "a").path();
  (void)DiskCache(folder.path(), "a").find_or_make(reader);
  const auto size = static_cast<std::size_t>(std::filesystem::file_size(path));
  int made = 1;
  for (const std::size_t at : {std::size_t{0}, std::size_t{20}, std::size_t{40}, size / 2}) {
    {
      std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
      file.seekg(static_cast<std::streamoff>(at));
      const int before = file.get();
      file.seekp(static_cast<std::streamoff>(at));
      file.put(static_cast<char>(before ^ 4));
    }
    const DiskCache::Parts parts = DiskCache(folder.path(), "a").find_or_make(reader);
    EXPECT_EQ(reader.times, ++made) << at;
    EXPECT_EQ(digest_of(parts.train), digest_of(digits().train));
  }
  for (const std::size_t length : {std::size_t{0}, std::size_t{10}, std::size_t{200}, size / 2}) {
    std::filesystem::resize_file(path, length);
    (void)DiskCache(folder.path(), "a").find_or_make(reader);
    EXPECT_EQ(reader.times, ++made) << length;
  }
  EXPECT_EQ(files_in(folder.path()), 1U);
}

/// The number of the file.
ino_t file_at(const std::string& path) {
  struct stat status {};
  EXPECT_EQ(::stat(path.c_str(), &status), 0);
  return status.st_ino;
}

// In another container, whose lock nobody sees here.
TEST(DiskCache, AFileThatAnotherJobHasMadeMeanwhileKeepsItsName) {
  const test::TemporaryFolder elsewhere;
  const test::TemporaryFolder folder;
  Reader reader;
  const DiskCache other(elsewhere.path(), "a");
  (void)DiskCache(elsewhere.path(), "a").find_or_make(reader);
  const std::string path = DiskCache(folder.path(), "a").path();
  ino_t made = 0;
  Bytes in_use;  // no other file gets its number
  const auto parts = DiskCache(folder.path(), "a").find_or_make([&] {
    std::filesystem::copy_file(other.path(), path);
    made = file_at(path);
    in_use = map_file(path);
    return digits();
  });
  EXPECT_EQ(file_at(path), made);
  EXPECT_EQ(digest_of(parts.train), digest_of(digits().train));
  EXPECT_EQ(files_in(folder.path()), 1U);
}

TEST(DiskCache, ADamagedFileKeepsItsNameUntilAnotherTakesItsPlace) {
  const test::TemporaryFolder folder;
  Reader reader;
  DiskCache cache(folder.path(), "a");
  (void)cache.find_or_make(reader);
  const ino_t damaged = file_at(cache.path());
  std::filesystem::resize_file(cache.path(), 200);
  std::atomic<bool> done = false;
  bool was_missing = false;
  std::thread other([&] {
    while (!done) {
      was_missing = was_missing || !std::filesystem::exists(cache.path());
    }
  });
  (void)cache.find_or_make([&] {  // what takes some time to write
    DiskCache::Parts parts = digits();
    parts.train.kept_text = Bytes::from(std::vector<char>(50 << 20, 'x'));
    return parts;
  });
  done = true;
  other.join();
  EXPECT_FALSE(was_missing);
  EXPECT_NE(file_at(cache.path()), damaged);
  EXPECT_EQ(files_in(folder.path()), 1U);
}

TEST(DiskCache, WhatIsReadFromAPipeIsNotFoundAgain) {
  const test::TemporaryFolder folder;
  Reader reader;
  DiskCache first(folder.path(), "");
  DiskCache second(folder.path(), "");
  (void)first.find_or_make(reader);
  (void)second.find_or_make(reader);
  EXPECT_EQ(reader.times, 2);
  EXPECT_FALSE(first.is_found_again());
  EXPECT_NE(first.path(), second.path());
}

TEST(DiskCache, JobsThatWantTheSameFileReadOnce) {
  const test::TemporaryFolder folder;
  constexpr int jobs = 4;
  const std::string readers = folder.path() + "-readers";
  for (int job = 0; job < jobs; ++job) {
    if (::fork() == 0) {
      try {
        const auto parts = DiskCache(folder.path(), "a").find_or_make([&] {
          std::ofstream(readers, std::ios::app) << "x";
          std::this_thread::sleep_for(std::chrono::milliseconds(200));
          return digits();
        });
        ::_exit(parts.train.samples == 1797 ? 0 : 1);
      } catch (...) {
        ::_exit(2);
      }
    }
  }
  for (int job = 0; job < jobs; ++job) {
    int status = -1;
    ::wait(&status);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(std::filesystem::file_size(readers), 1U);
  std::filesystem::remove(readers);
  EXPECT_EQ(files_in(folder.path()), 1U);
}

// Killed at any time while it writes a file of 200 MB: nothing is left, and nobody waits.
TEST(DiskCache, AJobThatIsKilledLeavesNothing) {
  const test::TemporaryFolder folder;
  for (int delay = 0; delay < 6; ++delay) {
    const pid_t job = ::fork();
    if (job == 0) {
      (void)DiskCache(folder.path(), "a").find_or_make([&] {
        DiskCache::Parts parts = digits();
        parts.train.kept_text = Bytes::from(std::vector<char>(200 << 20, 'x'));
        return parts;
      });
      ::_exit(0);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(30 * delay));
    ::kill(job, SIGKILL);
    int status = 0;
    ::waitpid(job, &status, 0);
    const std::string path = DiskCache(folder.path(), "a").path();
    if (std::filesystem::exists(path)) {  // killed when all was done, or not in time
      Reader unused;
      (void)DiskCache(folder.path(), "a").find_or_make(unused);
      EXPECT_EQ(unused.times, 0) << delay;
    }
    EXPECT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
    std::filesystem::remove(path);
    EXPECT_EQ(files_in(folder.path()), 0U) << delay;
  }
  Reader reader;
  (void)DiskCache(folder.path(), "a").find_or_make(reader);
  EXPECT_EQ(reader.times, 1);
}

// Those of file systems without nameless files.
TEST(DiskCache, RemovesWhatKilledJobsHaveLeft) {
  const test::TemporaryFolder folder;
  folder.write("0123456789abcdef01234567.rows-abcDE9.tmp", "half");
  const std::string path = DiskCache(folder.path(), "a").path();
  folder.write(std::filesystem::path(path).filename().string() + "-abcdef.tmp", "half");
  const char* others[] = {"other.tmp", "my.rows.tmp", "export.rows-abcdef.tmp"};
  for (const char* other : others) {
    folder.write(other, "somebody's");
  }
  Reader reader;
  (void)DiskCache(folder.path(), "a").find_or_make(reader);
  EXPECT_TRUE(std::filesystem::exists(path));
  for (const char* other : others) {
    EXPECT_TRUE(std::filesystem::exists(folder / other)) << other;
  }
  EXPECT_EQ(files_in(folder.path()), 4U);
}

TEST(DiskCache, LeavesWhatAnotherJobWrites) {
  const test::TemporaryFolder folder;
  Reader reader;
  const DiskCache other(folder.path(), "b");
  const std::string name = std::filesystem::path(other.path()).filename().string() + "-abcdef.tmp";
  (void)DiskCache(folder.path(), "b").find_or_make([&] {
    folder.write(name, "half");
    const Descriptor writer(::open((folder / name).c_str(), O_RDWR | O_CLOEXEC));
    EXPECT_EQ(::flock(writer.value(), LOCK_EX), 0);
    (void)DiskCache(folder.path(), "a").find_or_make(reader);
    EXPECT_TRUE(std::filesystem::exists(folder / name));
    return digits();
  });
  (void)DiskCache(folder.path(), "c").find_or_make(reader);
  EXPECT_FALSE(std::filesystem::exists(folder / name));
  EXPECT_EQ(files_in(folder.path()), 3U);
}

// It would wait for ever.
TEST(DiskCache, DoesNotWaitForJobsWithOtherData) {
  const test::TemporaryFolder folder;
  Reader reader;
  (void)DiskCache(folder.path(), "a").find_or_make([&] {
    (void)DiskCache(folder.path(), "b").find_or_make(reader);
    return digits();
  });
  EXPECT_EQ(reader.times, 1);
  EXPECT_EQ(files_in(folder.path()), 2U);
}

TEST(DiskCache, SaysWhatIsWrongWithTheFolder) {
  const test::TemporaryFolder folder;
  test::expect_error<InputError>([&] { DiskCache(folder / "none", "a"); },
                                 {"--scratch", "none", "make it on each node"});
  Reader reader;
  const DiskCache cache(folder.path(), "a");
  std::filesystem::create_symlink("/etc/hostname", cache.path());
  test::expect_error<InputError>([&] { (void)DiskCache(folder.path(), "a").find_or_make(reader); },
                                 {"not a file that this user alone can write"});
}

}  // namespace
}  // namespace dnn
