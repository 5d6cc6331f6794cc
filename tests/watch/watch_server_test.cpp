#include "dnn/watch/watch_server.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "dnn/core/descriptor.hpp"
#include "support/temporary_folder.hpp"

namespace dnn {
namespace {

using test::TemporaryFolder;

/// A connection to the server's port that waits for at most 10 seconds.
Descriptor connect_to(int port) {
  Descriptor connection(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const timeval longest{10, 0};
  ::setsockopt(connection.value(), SOL_SOCKET, SO_RCVTIMEO, &longest, sizeof(longest));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(
      ::connect(connection.value(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)),
      0);
  return connection;
}

void send_text(const Descriptor& connection, const std::string& text) {
  (void)!::send(connection.value(), text.data(), text.size(), MSG_NOSIGNAL);
}

/// The first line of the server's answer.
std::string status_of(const Descriptor& connection) {
  std::string text(1000, '\0');
  const ssize_t length = ::recv(connection.value(), text.data(), text.size(), 0);
  text.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
  return text.substr(0, text.find("\r\n"));
}

// 40 of them send a byte in half a second each, as some that want to block the server may.
TEST(WatchServer, AnswersWhileOthersAskSlowly) {
  const TemporaryFolder folder;
  WatchServer server(folder.path(), 0, "127.0.0.1");
  std::thread serving([&server] { server.serve(); });
  std::vector<Descriptor> slow;
  for (int i = 0; i < 40; ++i) {
    slow.push_back(connect_to(server.port()));
    send_text(slow.back(), "GET / HT");
  }
  std::atomic<bool> is_over = false;
  std::thread dripping([&slow, &is_over] {
    while (!is_over) {
      std::this_thread::sleep_for(std::chrono::milliseconds(500));
      for (const Descriptor& one : slow) {
        send_text(one, "T");
      }
    }
  });
  {
    const Descriptor good = connect_to(server.port());
    const std::string url = server.address();
    send_text(good, "GET " + url.substr(url.find("/?")) + " HTTP/1.1\r\nHost: localhost:1\r\n\r\n");
    EXPECT_EQ(status_of(good), "HTTP/1.1 200 OK");
  }
  is_over = true;
  dripping.join();
  slow.clear();
  server.stop();
  serving.join();
}

}  // namespace
}  // namespace dnn
