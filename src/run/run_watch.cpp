#include "dnn/run/run_watch.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "dnn/core/error.hpp"
#include "dnn/core/messages.hpp"
#include "dnn/core/printable.hpp"
#include "dnn/run/run_lock.hpp"
#include "dnn/watch/run_list.hpp"
#include "dnn/watch/text_curves.hpp"
#include "dnn/watch/watch_server.hpp"

namespace dnn {

namespace {

/// As large as the terminal, in characters that it shows.
TextCanvas canvas_here() {
  constexpr std::size_t other_lines = 10;  // titles and axes of three curves
  TextCanvas canvas;
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    canvas.columns = std::clamp<std::size_t>(size.ws_col, 24, 200);
    canvas.rows = std::clamp<std::size_t>(
        size.ws_row > other_lines ? (size.ws_row - other_lines) / 3U : 0U, 3, 16);
  }
  std::string locale;
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* const value = std::getenv(name);
    locale = locale.empty() && value != nullptr ? value : locale;
  }
  std::transform(locale.begin(), locale.end(), locale.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  canvas.braille = locale.find("utf-8") != std::string::npos || locale.ends_with("utf8");
  return canvas;
}

/// The only run in the folder that is named.
std::string only_run(const std::string& folder) {
  constexpr std::size_t most_named = 10;
  const RunList runs(folder);
  std::vector<std::string> names = runs.names();
  if (names.empty()) {
    throw InputError(folder + ": no run is in this folder");
  }
  if (names.size() > 1) {
    const std::size_t count = names.size();
    names.resize(std::min(count, most_named));
    std::transform(names.begin(), names.end(), names.begin(), printable_name);
    throw InputError(fmt::format("{}: {} runs are in this folder; name the folder of one: {}{}",
                                 folder, count, fmt::join(names, ", "),
                                 count > most_named ? ", ..." : ""));
  }
  return names.front() == "." ? folder : folder + "/" + names.front();
}

/// Draws the run again whenever it has changed, until it is finished or no job works on it.
void draw_run(const WatchOptions& options) {
  constexpr std::chrono::seconds interval(2);
  const bool is_terminal = ::isatty(STDOUT_FILENO) != 0;
  const std::string folder = only_run(options.folder);
  std::string drawn;
  for (;;) {
    // Before the files are read: what the job wrote last is then among them.
    const bool has_job = !RunLock::is_surely_free(folder);
    const TextOfRun run = text_of_run(folder, canvas_here(), has_job);
    if (run.text != drawn) {
      if (is_terminal && !options.once) {
        std::fputs("\033[H\033[2J", stdout);
      }
      say(run.text);
      drawn = run.text;
    }
    if (options.once || run.is_finished || !has_job) {
      return;
    }
    std::this_thread::sleep_for(interval);
  }
}

}  // namespace

void run_watch(const WatchOptions& options) {
  if (options.text) {
    draw_run(options);
    return;
  }
  WatchServer server(options.folder, options.port, options.listen);
  std::string text =
      fmt::format("watching {}; Ctrl-C ends\n\n    {}\n", options.folder, server.address());
  if (!server.forwarding().empty()) {
    std::array<char, 256> host{};
    ::gethostname(host.data(), host.size() - 1);
    text += fmt::format("\nfrom another machine, first: ssh -L {} {}\n", server.forwarding(),
                        host.data());
  }
  say(text);
  server.serve();
}

}  // namespace dnn
