#pragma once

#include <memory>
#include <string>

namespace dnn {

/// Serves the reports of the runs in a folder to browsers of this machine, from the folder's files
/// alone: a job that trains never notices. It listens on the loopback interface unless it is told
/// otherwise, answers GET only and only with the token of its address, so that other users of the
/// machine see nothing; clients that are slow to ask keep nobody else waiting; it reads no file
/// outside the runs and writes none.
class WatchServer {
 public:
  /// `port`: 0 takes a free one. `listen`: an address of this machine. Throws InputError where
  /// there is no such folder, or address and port cannot be had.
  WatchServer(const std::string& folder, int port, const std::string& listen);
  WatchServer(const WatchServer&) = delete;
  WatchServer& operator=(const WatchServer&) = delete;
  ~WatchServer();

  /// What to open in a browser.
  [[nodiscard]] const std::string& address() const { return address_; }
  /// What ssh's -L takes for a browser of another machine; empty where that needs none.
  [[nodiscard]] const std::string& forwarding() const { return forwarding_; }
  [[nodiscard]] int port() const { return port_; }

  /// Serves until stop() is called, on another thread.
  void serve();
  void stop();

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
  std::string address_;
  std::string forwarding_;
  int port_ = 0;
};

}  // namespace dnn
