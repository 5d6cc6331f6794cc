#include "dnn/core/name_lock.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstddef>
#include <filesystem>
#include <thread>

#include "support/temporary_folder.hpp"

namespace dnn {
namespace {

/// Another name in each process that runs this test.
std::string own_name() {
  return "dnn_train test " + std::to_string(::getpid());
}

TEST(NameLock, IsHeldByOne) {
  const std::string name = own_name();
  {
    const std::optional<NameLock> first = NameLock::try_take(name);
    ASSERT_TRUE(first);
    EXPECT_FALSE(NameLock::try_take(name));
    EXPECT_TRUE(NameLock::try_take(name + "0"));
  }
  EXPECT_TRUE(NameLock::try_take(name));
}

TEST(NameLock, WaitingProcessesHaveItOneAfterAnother) {
  const test::TemporaryFolder folder;
  const std::string name = own_name();
  constexpr int processes = 4;
  for (int p = 0; p < processes; ++p) {
    if (::fork() == 0) {
      for (int time = 0; time < 20; ++time) {
        const NameLock lock = NameLock::take(name);
        // Whoever is alone can make a folder of this name.
        if (!std::filesystem::create_directory(folder / "alone")) {
          ::_exit(1);
        }
        std::this_thread::sleep_for(std::chrono::microseconds(200));
        std::filesystem::remove(folder / "alone");
      }
      ::_exit(0);
    }
  }
  for (int p = 0; p < processes; ++p) {
    int status = -1;
    ::wait(&status);
    EXPECT_EQ(status, 0);
  }
}

TEST(NameLock, OfAKilledProcessIsFree) {
  const test::TemporaryFolder folder;
  const std::string name = own_name();
  const pid_t process = ::fork();
  if (process == 0) {
    const NameLock lock = NameLock::take(name);
    std::filesystem::create_directory(folder / "held");
    for (;;) {
      ::pause();
    }
  }
  while (!std::filesystem::exists(folder / "held")) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_FALSE(NameLock::try_take(name));
  std::thread killer([process] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    ::kill(process, SIGKILL);
  });
  const NameLock taken = NameLock::take(name);
  killer.join();
  ::waitpid(process, nullptr, 0);
  EXPECT_FALSE(NameLock::try_take(name)) << "it is this process's now";
}

// Whoever may not be waited for is a socket that nobody listens at; another user's needs root.
TEST(NameLock, WhoDoesNotListenIsNotWaitedForForEver) {
  const std::string name = own_name();
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  name.copy(address.sun_path + 1, name.size());
  const Descriptor holder(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::bind(holder.value(), reinterpret_cast<const sockaddr*>(&address),
                   static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size())),
            0);
  EXPECT_FALSE(NameLock::try_take(name));
  (void)NameLock::take(name);
  EXPECT_FALSE(NameLock::try_take(name));
}

}  // namespace
}  // namespace dnn
