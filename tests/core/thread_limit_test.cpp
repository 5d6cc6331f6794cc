#include "dnn/core/thread_limit.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <string>

namespace dnn {
namespace {

TEST(ThreadLimit, AThreadRuns) {
  bool has_run = false;
  start_thread([&has_run] { has_run = true; }).join();
  EXPECT_TRUE(has_run);
  EXPECT_NO_THROW(require_threads(3));
}

#ifndef __SANITIZE_ADDRESS__  // which takes 14 TiB of address space for itself
/// Leaves less address space than a stack takes, and ends the process with what a start says.
[[noreturn]] void start_without_room() {
  std::size_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  const rlim_t limit = pages * 4096 + (rlim_t{4} << 20);
  const rlimit limits{limit, limit};
  ::setrlimit(RLIMIT_AS, &limits);
  try {
    start_thread([] {}).join();
  } catch (const std::exception& error) {
    std::fputs(error.what(), stderr);
    std::_Exit(3);
  }
  std::_Exit(0);
}

TEST(ThreadLimit, OneWithoutRoomForItsStackSaysSo) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");  // no stacks that ended threads have left
  EXPECT_EXIT(start_without_room(), testing::ExitedWithCode(3), "no room in the address space");
}
#endif

}  // namespace
}  // namespace dnn
