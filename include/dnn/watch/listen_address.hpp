#pragma once

#include <string>

namespace dnn {

/// An address of this machine to listen on.
struct ListenAddress {
  std::string numeric;    ///< as numbers: "::1"
  std::string url_host;   ///< what a URL has in its place: "[::1]"; a name for "every address"
  bool is_local = false;  ///< only this machine reaches it

  /// What ssh's -L takes, so that the same URL works on another machine; empty where other machines
  /// reach the address itself.
  [[nodiscard]] std::string forwarding(int port) const;
};

/// `name`: a name or number. Throws InputError where no address of that name is known.
[[nodiscard]] ListenAddress listen_address(const std::string& name);

}  // namespace dnn
