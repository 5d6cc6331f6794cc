#include "dnn/comm/node_watch.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <ctime>
#include <fstream>
#include <memory>
#include <new>
#include <utility>

namespace dnn {

namespace {

/// Of the processor's time: what the watching thread itself needs is a tenth of it.
constexpr double busy_share = 0.0005;

/// A thread that has not run for so many intervals, and for so long, is in a stopped process.
constexpr double stopped_intervals = 4;
constexpr double stopped_seconds = 1;

double processor_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

/// What the kernel says of a process, as words for a message; empty where it says nothing odd.
std::string state_of(std::int32_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  std::string line;
  std::getline(file, line);
  const std::size_t end_of_name = line.rfind(')');
  const char state = end_of_name != std::string::npos && end_of_name + 2 < line.size()
                         ? line[end_of_name + 2]
                         : '?';
  switch (state) {
    case 'T':
    case 't':
      return ", stopped by a signal";
    case 'D':
      return ", waiting for a disk or network file system";
    case 'Z':
    case 'X':
    case '?':
      return ", gone";
    default:
      return {};
  }
}

std::string place_of(const NodeWatch::Rank& rank) {
  return std::string(name_of(rank.activity)) +
         (rank.update > 0 ? ", update " + std::to_string(rank.update) : "") +
         (rank.operation == Operation::none ? "" : std::string(", in ") + name_of(rank.operation));
}

}  // namespace

struct NodeWatch::Board {
  std::atomic<std::int32_t> reporter;  ///< the node's rank that reports, plus 1; 0: none yet
  [[nodiscard]] Heartbeat& heartbeat(int node_rank) {
    return *(std::launder(reinterpret_cast<Heartbeat*>(this) + 1) + node_rank);
  }
  [[nodiscard]] static std::size_t bytes(int ranks) {
    return sizeof(Heartbeat) * (static_cast<std::size_t>(ranks) + 1);
  }
};

NodeWatch::NodeWatch(const Communicator& world, Node& node, double interval)
    : world_(world),
      interval_(interval),
      node_rank_(static_cast<std::size_t>(node.rank())),
      board_(reinterpret_cast<Board*>(node.allocate_shared(Board::bytes(node.size())).data())),
      ranks_(static_cast<std::size_t>(node.size())),
      busy_(processor_seconds()) {
  if (node.is_leader()) {
    std::construct_at(board_);
    for (int rank = 0; rank < node.size(); ++rank) {
      std::construct_at(&board_->heartbeat(rank));
    }
  }
  node.synchronize();
  Heartbeat& own = board_->heartbeat(node.rank());
  own.process.store(::getpid());
  world.heartbeat().record_in(&own);
  std::vector<std::int32_t> numbers(ranks_.size());
  const std::int32_t number = world.rank();
  node.ranks().all_gather(std::as_bytes(std::span(&number, 1)),
                          std::as_writable_bytes(std::span(numbers)));
  for (std::size_t i = 0; i < ranks_.size(); ++i) {
    ranks_[i].number = numbers[i];
  }
}

NodeWatch::~NodeWatch() {
  world_.heartbeat().record_in(nullptr);
}

void NodeWatch::look(double passed) {
  Heartbeat& own = board_->heartbeat(static_cast<int>(node_rank_));
  own.ticks.store(own.ticks.load() + 1);
  const double used = processor_seconds() - std::exchange(busy_, processor_seconds());
  bool moved = own.operation.load() == Operation::none && used > busy_share * passed;
  if (moved) {
    own.beats.store(own.beats.load() + 1);
  }
  for (std::size_t i = 0; i < ranks_.size(); ++i) {
    const Heartbeat& heartbeat = board_->heartbeat(static_cast<int>(i));
    Rank& rank = ranks_[i];
    moved = std::exchange(rank.beats, heartbeat.beats.load()) != rank.beats || moved;
    const bool runs = std::exchange(rank.ticks, heartbeat.ticks.load()) != rank.ticks;
    rank.silent = runs ? 0 : rank.silent + passed;
    rank.stopped = rank.silent > std::max(stopped_seconds, stopped_intervals * interval_);
    rank.operation = heartbeat.operation.load();
    rank.activity = heartbeat.activity.load();
    rank.update = heartbeat.update.load();
    rank.process = heartbeat.process.load();
  }
  idle_ = moved ? 0 : idle_ + passed;
}

bool NodeWatch::any_stuck() const {
  return std::any_of(ranks_.begin(), ranks_.end(), [](const Rank& r) { return r.is_stuck(); });
}

bool NodeWatch::all_at_the_same() const {
  return std::all_of(ranks_.begin(), ranks_.end(), [this](const Rank& r) {
    return r.operation == ranks_[0].operation && r.update == ranks_[0].update;
  });
}

bool NodeWatch::is_training() const {
  return std::any_of(ranks_.begin(), ranks_.end(), [](const Rank& r) { return r.update > 0; });
}

bool NodeWatch::claim_report() {
  std::int32_t nobody = 0;
  const auto self = static_cast<std::int32_t>(node_rank_ + 1);
  return board_->reporter.compare_exchange_strong(nobody, self) || nobody == self;
}

void NodeWatch::release_report() {
  board_->reporter.store(0);
}

std::string NodeWatch::describe(const std::string& host) const {
  std::string stuck;
  std::string waiting;
  for (const Rank& rank : ranks_) {
    const std::string line =
        fmt::format("\n  rank {} (host {}, process {}", rank.number, host, rank.process);
    if (rank.is_stuck()) {
      stuck += fmt::format("{}{}) is stuck: {}", line, state_of(rank.process), place_of(rank));
    } else {
      waiting += fmt::format("{}) waits: {}", line, place_of(rank));
    }
  }
  return stuck + waiting;
}

}  // namespace dnn
