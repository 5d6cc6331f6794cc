#include "dnn/core/name_lock.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <thread>
#include <utility>

namespace dnn {

namespace {

/// The address of an abstract socket, whose name begins with a zero.
struct Address {
  sockaddr_un address{};
  socklen_t size = 0;

  explicit Address(const std::string& name) {
    const std::size_t length = std::min(name.size(), sizeof(address.sun_path) - 1);
    address.sun_family = AF_UNIX;
    name.copy(address.sun_path + 1, length);
    size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + length);
  }
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address); }
};

Descriptor open_socket() {
  return Descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

/// Whether a process of this user holds the name, and has given it back by now. False where another
/// user's does, who may keep it for ever, and where its process has not got as far as to listen.
bool wait_for_holder(const std::string& name) {
  const Descriptor socket = open_socket();
  const Address address(name);
  ucred holder{};
  socklen_t size = sizeof(holder);
  if (::connect(socket.value(), address.get(), address.size) != 0 ||
      ::getsockopt(socket.value(), SOL_SOCKET, SO_PEERCRED, &holder, &size) != 0 ||
      holder.uid != ::geteuid()) {
    return false;
  }
  char nothing = 0;
  while (::read(socket.value(), &nothing, 1) < 0 && errno == EINTR) {
  }
  return true;
}

}  // namespace

std::optional<NameLock> NameLock::try_take(const std::string& name) {
  Descriptor socket = open_socket();
  const Address address(name);
  constexpr int waiting = 1024;
  if (socket.is_open() && ::bind(socket.value(), address.get(), address.size) != 0 &&
      errno == EADDRINUSE) {
    return std::nullopt;
  }
  if (socket.is_open()) {
    (void)::listen(socket.value(), waiting);
  }
  return NameLock(std::move(socket));
}

NameLock NameLock::take(const std::string& name) {
  constexpr int most_failures = 100;  // 10 ms apart
  int failures = 0;
  std::optional<NameLock> taken = try_take(name);
  while (!taken && failures < most_failures) {
    if (!wait_for_holder(name)) {
      ++failures;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    taken = try_take(name);
  }
  return taken ? std::move(*taken) : NameLock(Descriptor());
}

}  // namespace dnn
