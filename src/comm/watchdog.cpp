#include "dnn/comm/watchdog.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <utility>
#include <vector>

#include "dnn/comm/program.hpp"
#include "dnn/core/error.hpp"
#include "dnn/core/messages.hpp"
#include "dnn/core/output_file.hpp"
#include "dnn/core/thread_limit.hpp"

namespace dnn {

namespace {

constexpr const char* how_to_proceed =
    "\nThe job ends now. Repeat the command to resume from the last checkpoint.";

std::string seconds(double time) {
  return fmt::format("{} s", static_cast<long>(time));
}

}  // namespace

Watchdog::Watchdog(const Communicator& world, Node& node, double timeout, std::string program)
    : program_(std::move(program)),
      timeout_(timeout),
      interval_(std::clamp(timeout / 10, 0.05, 1.0)),
      hosts_(static_cast<std::size_t>(world.size())),
      leaders_(static_cast<std::size_t>(world.size())),
      leader_(world.rank()),
      watch_(world, node, interval_) {
  std::array<char, 256> host{};
  host_name().copy(host.data(), host.size() - 1);
  std::vector<char> all(host.size() * hosts_.size());
  world.all_gather(std::as_bytes(std::span(host)), std::as_writable_bytes(std::span(all)));
  for (std::size_t rank = 0; rank < hosts_.size(); ++rank) {
    hosts_[rank] = all.data() + rank * host.size();
  }
  node.ranks().broadcast(std::as_writable_bytes(std::span(&leader_, 1)), 0);
  world.all_gather(std::as_bytes(std::span(&leader_, 1)),
                   std::as_writable_bytes(std::span(leaders_)));
  thread_ = start_thread([this] { work(); });
}

Watchdog::~Watchdog() {
  {
    const std::lock_guard lock(mutex_);
    end_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void Watchdog::use_folder(std::string path) {
  const std::lock_guard lock(mutex_);
  folder_ = std::move(path);
}

void Watchdog::work() {
  using Clock = std::chrono::steady_clock;
  Clock::time_point last = Clock::now();
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, std::chrono::duration<double>(interval_), [this] { return end_; })) {
    const Clock::time_point now = Clock::now();
    // A process that was stopped meanwhile has slept longer than it knows.
    watch_.look(std::min(std::chrono::duration<double>(now - last).count(), 2 * interval_));
    last = now;
    if (is_over()) {
      report();
    } else if (std::exchange(reports_, false)) {
      watch_.release_report();
      std::error_code ignored;
      std::filesystem::remove(marker(leader_), ignored);
    }
  }
}

bool Watchdog::is_over() const {
  if (watch_.any_stuck()) {
    return watch_.idle() >= timeout_;
  }
  if (is_whole_job()) {
    return watch_.idle() >=
           (watch_.all_at_the_same() ? timeout_ : std::min(timeout_, mismatch_seconds));
  }
  return watch_.idle() >= patience();
}

/// How long this node waits for others.
double Watchdog::patience() const {
  return watch_.is_training() ? timeout_ : patience_before_training * timeout_;
}

/// Called again and again while nothing moves; ends the process when all is said.
void Watchdog::report() {
  if (!watch_.claim_report()) {
    if (watch_.idle() >= 2 * patience() + 10) {
      end(describe_node());  // the one that was to report has not
    }
    return;
  }
  reports_ = true;
  if (watch_.any_stuck() || is_whole_job()) {
    end(describe_node());
  }
  // The stuck rank's node has reported by now, if it can.
  if (!folder_.empty()) {
    try {
      OutputFile(marker(leader_), O_CREAT, marker(leader_)).close();
    } catch (const FileError&) {
      // The others then name this node as silent.
    }
  }
  const bool is_first = std::none_of(leaders_.begin(), leaders_.end(), [this](std::int32_t other) {
    return other < leader_ && is_marked(other);
  });
  const double grace = std::clamp(timeout_ / 4, 2.0, 30.0);
  if (watch_.idle() >= patience() + grace * (is_first ? 1 : 2)) {
    end(describe_other_nodes());
  }
}

std::string Watchdog::describe_node() const {
  const std::string& host = hosts_[static_cast<std::size_t>(leader_)];
  std::string why = " (limit: --stall-timeout):";
  if (!watch_.any_stuck()) {
    why = watch_.all_at_the_same() ? ":\n  all ranks wait for a message that does not arrive"
                                   : ":\n  the ranks wait for each other in different operations: "
                                     "an error in the program";
  }
  return fmt::format("{}: error: no rank on host {} made progress for {}{}{}{}", program_, host,
                     seconds(watch_.idle()), why, watch_.describe(host), how_to_proceed);
}

std::string Watchdog::describe_other_nodes() const {
  std::vector<std::string> silent;
  for (std::size_t rank = 0; rank < leaders_.size(); ++rank) {
    if (leaders_[rank] != leader_ && !is_marked(leaders_[rank])) {
      silent.push_back(fmt::format("{} (host {})", rank, hosts_[rank]));
    }
  }
  const std::string cause =
      silent.empty()
          ? "all hosts wait for a message that does not arrive"
          : fmt::format(
                "no answer from rank {}: the host or its network is down, or the host was "
                "busy with something else",
                fmt::join(silent, ", "));
  return fmt::format(
      "{}: error: the ranks on host {} waited for {} (limit: --stall-timeout) at update {}, in {}, "
      "for ranks on other hosts; {}{}",
      program_, hosts_[static_cast<std::size_t>(leader_)], seconds(watch_.idle()),
      watch_.own().update, name_of(watch_.own().operation), cause, how_to_proceed);
}

std::string Watchdog::marker(std::int32_t leader) const {
  return folder_ + "/.stalled-" + std::to_string(leader);
}

bool Watchdog::is_marked(std::int32_t leader) const {
  std::error_code ignored;
  return !folder_.empty() && std::filesystem::exists(marker(leader), ignored);
}

/// What is stuck does not end when it is asked to. This node's marker stays, so that the others
/// still see that this one was to report; the next start removes it.
void Watchdog::end(const std::string& message) const {
  complain_before_the_end(message);
  for (const NodeWatch::Rank& rank : watch_.ranks()) {
    if (rank.is_stuck() && &rank != &watch_.own()) {
      ::kill(rank.process, SIGKILL);
    }
  }
  std::_Exit(exit_failed);
}

}  // namespace dnn
