#include "dnn/watch/listen_address.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>

#include "dnn/core/error.hpp"

namespace dnn {

namespace {

using AddressList = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

AddressList look_up(const std::string& name) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int code = ::getaddrinfo(name.c_str(), nullptr, &wanted, &found);
  if (code != 0) {
    throw InputError(fmt::format(
        "cannot listen on {}: no address of that name is known ({}); name an address of this "
        "machine with --listen",
        name, code == EAI_SYSTEM ? std::generic_category().message(errno) : ::gai_strerror(code)));
  }
  return {found, &::freeaddrinfo};
}

std::string name_of_this_machine() {
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  return host.data();
}

std::string in_brackets(const std::string& numeric) {
  return numeric.find(':') == std::string::npos ? numeric : '[' + numeric + ']';
}

bool is_loopback(const in_addr& address) {
  return ntohl(address.s_addr) >> 24U == IN_LOOPBACKNET;
}

}  // namespace

ListenAddress listen_address(const std::string& name) {
  const AddressList found = look_up(name);
  const addrinfo* one = found.get();
  while (one->ai_family != AF_INET && one->ai_next != nullptr) {
    one = one->ai_next;
  }
  one = one->ai_family == AF_INET ? one : found.get();
  std::array<char, NI_MAXHOST> numeric{};
  (void)::getnameinfo(one->ai_addr, one->ai_addrlen, numeric.data(), numeric.size(), nullptr, 0,
                      NI_NUMERICHOST);
  bool is_any = false;
  bool is_local = false;
  if (one->ai_family == AF_INET) {
    sockaddr_in socket{};
    std::memcpy(&socket, one->ai_addr, sizeof(socket));
    is_any = socket.sin_addr.s_addr == htonl(INADDR_ANY);
    is_local = is_loopback(socket.sin_addr);
  } else if (one->ai_family == AF_INET6) {
    sockaddr_in6 socket{};
    std::memcpy(&socket, one->ai_addr, sizeof(socket));
    is_any = IN6_IS_ADDR_UNSPECIFIED(&socket.sin6_addr);
    is_local = IN6_IS_ADDR_LOOPBACK(&socket.sin6_addr);
  }
  ListenAddress made{numeric.data(), {}, is_local};
  const bool is_number = name.find(':') != std::string::npos || is_local;
  made.url_host = is_any ? name_of_this_machine() : is_number ? in_brackets(made.numeric) : name;
  return made;
}

std::string ListenAddress::forwarding(int port) const {
  if (!is_local) {
    return {};
  }
  // ssh itself listens on 127.0.0.1 and ::1. A shell may take brackets for a pattern.
  const bool is_ssh_own = numeric == "127.0.0.1" || numeric == "::1";
  const std::string text =
      fmt::format("{}{}:{}:{}", is_ssh_own ? "" : url_host + ":", port, url_host, port);
  return numeric == url_host ? text : "'" + text + "'";
}

}  // namespace dnn
