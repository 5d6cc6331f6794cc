#pragma once

#include <memory>
#include <string>

namespace dnn {

/// Serves the reports of the runs in a folder to browsers of this machine, from the folder's files
/// alone: a job that trains never notices. It listens on the loopback interface, answers GET only
/// and only with the token of its address, so that other users of the machine see nothing; it reads
/// no file outside the runs and writes none.
class WatchServer {
 public:
  /// `port`: 0 takes a free one. Throws InputError where there is no such folder, or the port is
  /// taken.
  WatchServer(const std::string& folder, int port);
  WatchServer(const WatchServer&) = delete;
  WatchServer& operator=(const WatchServer&) = delete;
  ~WatchServer();

  /// What to open in a browser.
  [[nodiscard]] const std::string& address() const { return address_; }
  [[nodiscard]] int port() const { return port_; }

  /// Serves until stop() is called, on another thread.
  void serve();
  void stop();

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
  std::string address_;
  int port_ = 0;
};

}  // namespace dnn
