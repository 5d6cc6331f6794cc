#include "dnn/comm/core_watch.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sched.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <utility>
#include <vector>

#include "dnn/comm/node_cores.hpp"
#include "dnn/core/messages.hpp"
#include "dnn/core/thread_limit.hpp"

namespace dnn {

/// A rank of the node, in memory that all of them see.
struct CoreWatch::Seat {
  std::atomic<std::int32_t> rank;
  std::atomic<std::int32_t> low;       ///< looks in a row at a low share
  std::atomic<std::uint32_t> percent;  ///< at the last look
  char cores[116];
};

std::optional<ProcessorTime> ProcessorTime::find() {
  namespace fs = std::filesystem;
  constexpr double second = 1e9;
  ProcessorTime time;
  bool found = false;
  std::error_code error;
  for (fs::directory_iterator task("/proc/self/task", error), end; !error && task != end;
       task.increment(error)) {
    std::ifstream file(task->path() / "schedstat");
    double used = 0;
    double waited = 0;
    if (file >> used >> waited) {
      time.used += used / second;
      time.waited += waited / second;
      found = true;
    }
  }
  return found ? std::optional(time) : std::nullopt;
}

std::string own_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof(set), &set) != 0) {
    return "unknown";
  }
  std::vector<std::string> ranges;
  for (int first = 0; first < CPU_SETSIZE; ++first) {
    if (!CPU_ISSET(first, &set)) {
      continue;
    }
    int last = first;
    while (last + 1 < CPU_SETSIZE && CPU_ISSET(last + 1, &set)) {
      ++last;
    }
    ranges.push_back(first == last ? std::to_string(first) : fmt::format("{}-{}", first, last));
    first = last;
  }
  return fmt::format("{}", fmt::join(ranges, ", "));
}

CoreWatch::CoreWatch(Node& node, int world_rank, bool warns, std::string program)
    : program_(std::move(program)),
      is_speaker_(node.is_leader() && warns),
      ranks_(static_cast<std::size_t>(node.size())),
      own_(static_cast<std::size_t>(node.rank())),
      seats_(reinterpret_cast<Seat*>(
          node.allocate_shared(ranks_ * sizeof(Seat), "the watch over cores").data())),
      begin_(ProcessorTime::find()),
      last_(begin_) {
  Seat& own = *std::construct_at(seats_ + own_);
  own.rank.store(world_rank);
  own_cores().copy(own.cores, sizeof(own.cores) - 1);
  node.synchronize();
  if (!begin_) {
    return;
  }
  // The thread takes no signals: they are for others to handle.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, &before);
  thread_ = start_thread([this] { work(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

CoreWatch::~CoreWatch() {
  if (!thread_.joinable()) {
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    end_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

std::optional<double> CoreWatch::share() const {
  const std::optional<ProcessorTime> now = ProcessorTime::find();
  return begin_ && now ? std::optional(now->since(*begin_).share()) : std::nullopt;
}

void CoreWatch::work() {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, std::chrono::duration<double>(interval), [this] { return end_; })) {
    look();
    const std::string text = is_speaker_ && !warned_ ? describe() : std::string();
    if (!text.empty()) {
      warned_ = true;
      complain(program_ + ": warning: " + text);
    }
  }
}

void CoreWatch::look() {
  const std::optional<ProcessorTime> now = ProcessorTime::find();
  if (!now) {
    return;
  }
  const ProcessorTime passed = now->since(*std::exchange(last_, now));
  // A rank that waits for others or for a disk wants no core.
  const bool is_busy = passed.used + passed.waited > interval / 2;
  low_ = is_busy && passed.share() < least_share ? low_ + 1 : 0;
  seats_[own_].percent.store(static_cast<std::uint32_t>(100 * passed.share()));
  seats_[own_].low.store(low_);
}

/// Empty where nothing is to be told.
std::string CoreWatch::describe() const {
  std::vector<std::string> ranks;
  for (std::size_t i = 0; i < ranks_; ++i) {
    if (seats_[i].low.load() >= looks) {
      ranks.push_back(fmt::format("rank {} gets {} % of its cores ({})", seats_[i].rank.load(),
                                  seats_[i].percent.load(), seats_[i].cores));
    }
  }
  if (ranks.empty()) {
    return {};
  }
  constexpr std::size_t most = 8;
  const std::size_t others = ranks.size() > most ? ranks.size() - most : 0;
  ranks.resize(ranks.size() - others);
  const std::size_t quota = cpu_quota();
  return fmt::format(
      "host {}: {}{}, because other processes run there{}. Another mpirun on this host may have "
      "been bound to the same cores: start with mpirun --bind-to none, or name free cores with "
      "--cpu-set; otherwise end the other work or use fewer ranks",
      host_name(), fmt::join(ranks, "; "),
      others > 0 ? fmt::format(" (and {} other ranks)", others) : std::string(),
      quota > 0 ? fmt::format(" or the CPU quota of this job, {} cores, is used up", quota)
                : std::string());
}

}  // namespace dnn
