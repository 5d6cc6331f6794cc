#include "dnn/comm/stop_request.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <functional>
#include <stdexcept>

#include "dnn/comm/program.hpp"

namespace dnn {
namespace {

using namespace std::chrono_literals;

/// As another process would: raise() would ask this thread, which does not listen.
void ask(int number) {
  ::kill(::getpid(), number);
}

/// Whether it is requested within a minute.
bool comes(const StopRequest& stop) {
  for (int i = 0; i < 6000 && !stop.requested(); ++i) {
    std::this_thread::sleep_for(10ms);
  }
  return stop.requested();
}

TEST(StopRequest, BySignal) {
  for (const auto& [number, name] : {std::pair(SIGTERM, "SIGTERM"),
                                     {SIGINT, "SIGINT"},
                                     {SIGUSR1, "SIGUSR1"},
                                     {SIGUSR2, "SIGUSR2"},
                                     {SIGXCPU, "SIGXCPU"}}) {
    StopRequest stop("test");
    stop.defer();
    EXPECT_FALSE(stop.requested());
    EXPECT_EQ(stop.reason(), "");
    ask(number);
    ask(number);  // at once: the same request
    EXPECT_TRUE(comes(stop));
    EXPECT_EQ(stop.reason(), name);
  }
}

TEST(StopRequest, ByTimeLimit) {
  StopRequest stop("test");
  stop.defer();
  for (const auto limit : {1000.0s, 1e9s, 1e10s, 3.6e15s}) {
    stop.limit_time(limit);
    std::this_thread::sleep_for(150ms);
    EXPECT_FALSE(stop.requested()) << limit.count();
  }
  stop.limit_time(0.01s);
  EXPECT_TRUE(comes(stop));
  EXPECT_EQ(stop.reason(), "the time limit");
}

TEST(StopRequest, ByCondition) {
  StopRequest stop("test");
  stop.defer();
  std::atomic<bool> holds = false;
  stop.watch([&holds] { return holds.load(); }, "the test");
  std::this_thread::sleep_for(150ms);
  EXPECT_FALSE(stop.requested());
  holds = true;
  EXPECT_TRUE(comes(stop));
  EXPECT_EQ(stop.reason(), "the test");
}

TEST(StopRequest, OneAtATime) {
  const StopRequest stop("test");
  EXPECT_THROW(StopRequest("another"), std::logic_error);
}

/// How a process ends that does `work`, as waitpid tells it.
int end_of_process(const std::function<void(StopRequest&)>& work) {
  const pid_t child = ::fork();
  if (child == 0) {
    StopRequest stop("test");
    work(stop);
    std::this_thread::sleep_for(10s);
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

TEST(StopRequest, EndsTheProcessWhereThereIsNothingToSave) {
  const int started = end_of_process([](StopRequest&) { ask(SIGUSR2); });
  EXPECT_TRUE(WIFEXITED(started) && WEXITSTATUS(started) == exit_try_again) << started;
  const int late = end_of_process([](StopRequest& stop) {
    stop.defer();
    ask(SIGTERM);
    std::this_thread::sleep_for(200ms);
    stop.at_once(false);
  });
  EXPECT_TRUE(WIFEXITED(late) && WEXITSTATUS(late) == exit_try_again) << late;
  const int limited = end_of_process([](StopRequest& stop) { stop.limit_time(0.05s); });
  EXPECT_TRUE(WIFEXITED(limited) && WEXITSTATUS(limited) == exit_try_again) << limited;
}

TEST(StopRequest, ASignalThatComesAsItEndsIsForgotten) {
  const pid_t child = ::fork();
  if (child == 0) {
    {
      StopRequest stop("test");
      stop.defer();
      std::atomic<bool> waits = false;
      stop.watch(
          [&waits] {  // in the only thread that takes signals
            sigset_t set;
            ::sigfillset(&set);
            ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
            ask(SIGTERM);
            waits = true;
            return false;
          },
          "the test");
      while (!waits) {
        std::this_thread::sleep_for(1ms);
      }
    }
    ::_exit(7);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 7) << status;
}

TEST(StopRequest, ASecondSignalEndsTheProcessAtOnce) {
  const int status = end_of_process([](StopRequest& stop) {
    stop.defer();
    ask(SIGTERM);
    std::this_thread::sleep_for(600ms);
    ask(SIGTERM);
  });
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM) << status;
}

}  // namespace
}  // namespace dnn
