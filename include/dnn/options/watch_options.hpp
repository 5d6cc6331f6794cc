#pragma once

// Parses the command line of dnn_watch.

#include <optional>
#include <string>

namespace dnn {

/// What dnn_watch serves, or the text to print instead (--help, --version).
struct WatchOptions {
  std::string folder;
  int port = 0;  ///< 0: a free one
  std::string listen = "127.0.0.1";
  bool text = false;  ///< curves in the terminal instead
  bool once = false;  ///< of those, the present ones alone
  std::optional<std::string> print;
};

/// Throws InputError for anything unknown or unusable.
[[nodiscard]] WatchOptions parse_watch_options(int argc, const char* const* argv);

}  // namespace dnn
