#include "dnn/run/run_watch.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>

#include "dnn/core/messages.hpp"
#include "dnn/watch/watch_server.hpp"

namespace dnn {

void run_watch(const WatchOptions& options) {
  WatchServer server(options.folder, options.port);
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  say(
      fmt::format("watching {}; Ctrl-C ends\n\n    {}\n\n"
                  "from another machine, first: ssh -L {}:127.0.0.1:{} {}\n",
                  options.folder, server.address(), server.port(), server.port(), host.data()));
  server.serve();
}

}  // namespace dnn
