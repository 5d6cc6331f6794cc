#include "dnn/core/available_memory.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <limits>
#include <vector>

#include "dnn/core/error.hpp"
#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"

namespace dnn {
namespace {

using test::TemporaryFolder;

/// A folder that stands for / of another machine.
struct Machine {
  TemporaryFolder root;

  void write(const std::string& path, const std::string& contents) const {
    std::filesystem::create_directories(std::filesystem::path(root / path).parent_path());
    root.write(path, contents);
  }
  [[nodiscard]] std::size_t available() const { return available_memory(root.path()); }
};

TEST(AvailableMemory, ThisMachineHasSome) {
  EXPECT_GT(available_memory(), std::size_t{1} << 20);
  EXPECT_LT(available_memory(), std::numeric_limits<std::size_t>::max());
}

TEST(AvailableMemory, TheSystemsIsTheMost) {
  const Machine machine;
  EXPECT_EQ(machine.available(), std::numeric_limits<std::size_t>::max());
  machine.write("proc/meminfo", "MemTotal:  900 kB\nMemFree:  1 kB\nMemAvailable:   500 kB\n");
  EXPECT_EQ(machine.available(), 500U * 1024);
  EXPECT_EQ(available_to_groups(machine.root.path()), 500U * 1024);
  EXPECT_EQ(available_to_host(machine.root.path()), 500U * 1024);
}

TEST(AvailableMemory, GroupsAreTheirNamesAndTheFoldersSeen) {
  const Machine one;
  one.write("proc/self/cgroup", "0::/jobs/job7\n");
  const std::string groups = memory_groups(one.root.path());
  EXPECT_EQ(memory_groups(one.root.path()), groups);
  const Machine other;  // a container
  other.write("proc/self/cgroup", "0::/jobs/job7\n");
  other.write("sys/fs/cgroup/memory.max", "max\n");
  EXPECT_NE(memory_groups(other.root.path()), groups);
  one.write("proc/self/cgroup", "0::/jobs/job8\n");
  EXPECT_NE(memory_groups(one.root.path()), groups);
}

TEST(AvailableMemory, GroupsOfVersion2CountFromTheJobToTheRoot) {
  const Machine machine;
  machine.write("proc/meminfo", "MemAvailable: 500 kB\n");
  machine.write("proc/self/cgroup", "0::/jobs/job7\n");
  machine.write("sys/fs/cgroup/jobs/job7/memory.max", "max\n");
  machine.write("sys/fs/cgroup/jobs/job7/memory.current", "100000\n");
  EXPECT_EQ(machine.available(), 500U * 1024);
  machine.write("sys/fs/cgroup/jobs/memory.max", "300000\n");
  machine.write("sys/fs/cgroup/jobs/memory.current", "200000\n");
  EXPECT_EQ(machine.available(), 100000U);
  EXPECT_EQ(available_to_groups(machine.root.path()), 100000U);
  EXPECT_EQ(available_to_host(machine.root.path()), 500U * 1024);
  machine.write("sys/fs/cgroup/jobs/memory.stat", "anon 9\nactive_file 500\ninactive_file 1000\n");
  EXPECT_EQ(machine.available(), 101500U);
  machine.write("sys/fs/cgroup/jobs/job7/memory.max", "90000\n");
  EXPECT_EQ(machine.available(), 0U);  // more in use than allowed
}

TEST(AvailableMemory, GroupsOfVersion1) {
  const Machine machine;
  machine.write("proc/self/cgroup", "7:cpu,cpuacct:/a\n5:memory:/slurm/job\n");
  machine.write("sys/fs/cgroup/memory/slurm/job/memory.limit_in_bytes", "1000\n");
  machine.write("sys/fs/cgroup/memory/slurm/job/memory.usage_in_bytes", "600\n");
  machine.write("sys/fs/cgroup/memory/slurm/job/memory.stat",
                "inactive_file 1\ntotal_inactive_file 50\ntotal_active_file 5\n");
  EXPECT_EQ(machine.available(), 455U);
}

TEST(AvailableMemory, ThePeakGrowsWithWhatIsTouchedAndStays) {
  constexpr std::size_t bytes = std::size_t{256} << 20;
  const std::size_t before = peak_memory();
  EXPECT_GT(before, std::size_t{1} << 20);
  if (before < bytes) {
    const std::vector<char> touched(bytes, 1);
    const volatile char* const last = &touched.back();  // no compiler leaves the memory out
    EXPECT_EQ(*last, 1);
    EXPECT_GE(peak_memory(), bytes);
  }
  EXPECT_GE(peak_memory(), before);
}

TEST(AvailableMemory, WhatCannotBeHadIsRefused) {
  require_memory(1 << 20, "a table");
  test::expect_error<InputError>([] { require_memory(std::size_t{1} << 55, "a table"); },
                                 {"a table needs 33554432.0 GiB of memory", "may use"});
  EXPECT_EQ(size_text(512), "0.5 KiB");
  EXPECT_EQ(size_text(std::size_t{3} << 19), "1.5 MiB");
}

}  // namespace
}  // namespace dnn
