#include "dnn/comm/watchdog.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <new>
#include <utility>

#include "dnn/comm/program.hpp"

namespace dnn {

namespace {

/// Of the processor's time, in an interval of one second: what the watching thread itself needs is
/// a tenth of it.
constexpr double busy_share = 0.0005;

/// A thread that has not run for so many intervals, and for so long, is in a stopped process.
constexpr double stopped_intervals = 4;
constexpr double stopped_seconds = 1;

constexpr const char* how_to_go_on =
    "\nThe job ends now; the same command goes on from its newest checkpoint\n";

double processor_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

const char* name_of(Activity activity) {
  switch (activity) {
    case Activity::starting:
      return "starting";
    case Activity::loading:
      return "loading the data";
    case Activity::computing:
      return "computing an update";
    case Activity::fetching:
      return "fetching a batch of samples";
    case Activity::evaluating:
      return "evaluating";
    case Activity::writing:
      return "writing the model or the metrics";
    case Activity::checkpointing:
      return "making a checkpoint";
    default:
      return "ending";
  }
}

const char* name_of(Operation operation) {
  switch (operation) {
    case Operation::none:
      return "no operation";
    case Operation::barrier:
      return "MPI_Barrier";
    case Operation::node_barrier:
      return "the node's barrier";
    case Operation::all_reduce:
      return "MPI_Allreduce";
    case Operation::all_to_all:
      return "MPI_Alltoall";
    case Operation::all_gather:
      return "MPI_Allgather";
    case Operation::broadcast:
      return "MPI_Bcast";
    case Operation::send:
      return "MPI_Send";
    case Operation::receive:
      return "MPI_Recv";
    case Operation::split:
      return "MPI_Comm_split";
    default:
      return "making or freeing shared memory";
  }
}

std::string seconds(double time) {
  return std::to_string(static_cast<long>(time)) + " s";
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

}  // namespace

struct Watchdog::Board {
  std::atomic<std::int32_t> reporter;  ///< the node's rank that reports, plus 1; 0: none yet
  [[nodiscard]] Pulse& pulse(int node_rank) {
    return *(std::launder(reinterpret_cast<Pulse*>(this) + 1) + node_rank);
  }
  [[nodiscard]] static std::size_t bytes(int ranks) {
    return sizeof(Pulse) * (static_cast<std::size_t>(ranks) + 1);
  }
};

/// What this rank's thread has seen of the node's ranks.
struct Watchdog::Seen {
  struct Rank {
    std::uint64_t beats = 0;
    std::uint64_t ticks = 0;
    double silent = 0;  ///< seconds that its thread has not run
    bool stopped = false;
    Operation operation = Operation::none;
    Activity activity = Activity::starting;
    std::uint64_t update = 0;
    [[nodiscard]] bool is_stuck() const { return stopped || operation == Operation::none; }
  };
  std::vector<Rank> ranks;

  [[nodiscard]] bool any_stuck() const {
    return std::any_of(ranks.begin(), ranks.end(), [](const Rank& r) { return r.is_stuck(); });
  }
  [[nodiscard]] bool all_at_the_same() const {
    return std::all_of(ranks.begin(), ranks.end(), [this](const Rank& r) {
      return r.operation == ranks[0].operation && r.update == ranks[0].update;
    });
  }
  [[nodiscard]] bool is_training() const {
    return std::any_of(ranks.begin(), ranks.end(), [](const Rank& r) { return r.update > 0; });
  }
};

Watchdog::Watchdog(const Communicator& world, Node& node, double timeout, std::string program)
    : world_(world),
      program_(std::move(program)),
      timeout_(timeout),
      interval_(std::clamp(timeout / 10, 0.05, 1.0)),
      hosts_(static_cast<std::size_t>(world.size())),
      leaders_(static_cast<std::size_t>(world.size())),
      node_rank_(node.rank()) {
  std::array<char, 256> host{};
  host_name().copy(host.data(), host.size() - 1);
  std::vector<char> all(host.size() * hosts_.size());
  world.all_gather(std::as_bytes(std::span(host)), std::as_writable_bytes(std::span(all)));
  for (std::size_t rank = 0; rank < hosts_.size(); ++rank) {
    hosts_[rank] = all.data() + rank * host.size();
  }
  std::int32_t leader = world.rank();
  node.ranks().broadcast(std::as_writable_bytes(std::span(&leader, 1)), 0);
  world.all_gather(std::as_bytes(std::span(&leader, 1)),
                   std::as_writable_bytes(std::span(leaders_)));
  for (std::int32_t rank = 0; rank < world.size(); ++rank) {
    if (leaders_[static_cast<std::size_t>(rank)] == leader) {
      node_ranks_.push_back(rank);
    }
  }
  board_ = reinterpret_cast<Board*>(node.allocate_shared(Board::bytes(node.size())).data());
  if (node.is_leader()) {
    std::construct_at(board_);
    for (int rank = 0; rank < node.size(); ++rank) {
      std::construct_at(&board_->pulse(rank));
    }
  }
  node.synchronize();
  Pulse& own = board_->pulse(node_rank_);
  own.process.store(::getpid());
  world.pulse().record_in(&own);
  thread_ = std::thread([this] { watch(); });
}

Watchdog::~Watchdog() {
  {
    const std::lock_guard lock(mutex_);
    end_ = true;
  }
  wake_.notify_all();
  thread_.join();
  world_.pulse().record_in(nullptr);
}

void Watchdog::use_folder(std::string path) {
  const std::lock_guard lock(mutex_);
  folder_ = std::move(path);
}

void Watchdog::watch() {
  using Clock = std::chrono::steady_clock;
  Seen seen;
  seen.ranks.resize(node_ranks_.size());
  Pulse& own = board_->pulse(node_rank_);
  double idle = 0;
  double busy = processor_seconds();
  Clock::time_point last = Clock::now();
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, std::chrono::duration<double>(interval_), [this] { return end_; })) {
    const Clock::time_point now = Clock::now();
    // A process that was stopped meanwhile has slept longer than it knows.
    const double passed =
        std::min(std::chrono::duration<double>(now - last).count(), 2 * interval_);
    last = now;
    own.ticks.store(own.ticks.load() + 1);
    const double used = processor_seconds() - std::exchange(busy, processor_seconds());
    bool moved = own.operation.load() == Operation::none && used > busy_share * passed;
    if (moved) {
      own.beats.store(own.beats.load() + 1);
    }
    for (std::size_t i = 0; i < seen.ranks.size(); ++i) {
      const Pulse& pulse = board_->pulse(static_cast<int>(i));
      Seen::Rank& rank = seen.ranks[i];
      moved = std::exchange(rank.beats, pulse.beats.load()) != rank.beats || moved;
      const bool runs = std::exchange(rank.ticks, pulse.ticks.load()) != rank.ticks;
      rank.silent = runs ? 0 : rank.silent + passed;
      rank.stopped = rank.silent > std::max(stopped_seconds, stopped_intervals * interval_);
      rank.operation = pulse.operation.load();
      rank.activity = pulse.activity.load();
      rank.update = pulse.update.load();
    }
    idle = moved ? 0 : idle + passed;
    if (is_over(seen, idle)) {
      report_and_end(seen, idle);
    }
  }
}

bool Watchdog::is_over(const Seen& seen, double idle) const {
  const bool is_whole_job = node_ranks_.size() == leaders_.size();
  if (seen.any_stuck()) {
    return idle >= timeout_;
  }
  if (is_whole_job) {
    return idle >= (seen.all_at_the_same() ? timeout_ : std::min(timeout_, mismatch_seconds));
  }
  // Before training, nodes may take very different times to load their data.
  return idle >= timeout_ && seen.is_training();
}

/// Called again and again while it goes on: the mutex is held, other threads are not.
void Watchdog::report_and_end(const Seen& seen, double idle) {
  std::int32_t nobody = 0;
  const std::int32_t self = node_rank_ + 1;
  if (!board_->reporter.compare_exchange_strong(nobody, self) && nobody != self) {
    if (idle >= 2 * timeout_ + 10) {
      std::_Exit(exit_failed);  // the one that was to report has not
    }
    return;
  }
  if (seen.any_stuck() || node_ranks_.size() == leaders_.size()) {
    std::fprintf(stderr, "%s", describe_node(seen, idle).c_str());
    end(seen);
  }
  // The stuck rank's node has reported by now, if it can.
  const double grace = std::clamp(timeout_ / 4, 2.0, 30.0);
  const int leader = node_ranks_[0];
  if (!folder_.empty()) {
    std::ofstream(marker(leader)) << "this node's ranks wait for ranks of other nodes\n";
  }
  bool is_first = true;
  for (const std::int32_t other : leaders_) {
    std::error_code ignored;
    is_first = is_first && (other >= leader || folder_.empty() ||
                            !std::filesystem::exists(marker(other), ignored));
  }
  if (idle >= timeout_ + grace * (is_first ? 1 : 2)) {
    std::fprintf(stderr, "%s", describe_other_nodes(idle).c_str());
    end(seen);
  }
}

std::string Watchdog::describe_node(const Seen& seen, double idle) const {
  std::string text = program_ + ": error: no rank on host " +
                     hosts_[static_cast<std::size_t>(node_ranks_[0])] + " has got on for " +
                     seconds(idle) + (seen.any_stuck() ? " (--stall-timeout):" : ":");
  std::string waiting;
  for (std::size_t i = 0; i < seen.ranks.size(); ++i) {
    const Seen::Rank& rank = seen.ranks[i];
    const std::int32_t process = board_->pulse(static_cast<int>(i)).process.load();
    const std::string place =
        std::string(name_of(rank.activity)) +
        (rank.update > 0 ? ", update " + std::to_string(rank.update) : "") +
        (rank.operation == Operation::none ? "" : std::string(", in ") + name_of(rank.operation));
    const std::string line = "\n  rank " + std::to_string(node_ranks_[i]) + " (host " +
                             hosts_[static_cast<std::size_t>(node_ranks_[i])] + ", process " +
                             std::to_string(process);
    if (rank.is_stuck()) {
      text += line + state_of(process) + ") is stuck: " + place;
    } else {
      waiting += line + ") waits: " + place;
    }
  }
  if (!seen.any_stuck()) {
    text += seen.all_at_the_same()
                ? "\n  all ranks wait, and no message comes"
                : "\n  the ranks wait for each other in different operations: an error in the "
                  "program";
  }
  return text + waiting + how_to_go_on;
}

std::string Watchdog::describe_other_nodes(double idle) const {
  const std::size_t self = static_cast<std::size_t>(node_ranks_[0]);
  std::string silent;
  for (std::size_t rank = 0; rank < leaders_.size(); ++rank) {
    std::error_code ignored;
    const bool waits_too =
        !folder_.empty() && std::filesystem::exists(marker(leaders_[rank]), ignored);
    if (leaders_[rank] != leaders_[self] && !waits_too) {
      silent +=
          (silent.empty() ? "rank " : ", ") + std::to_string(rank) + " (host " + hosts_[rank] + ")";
    }
  }
  return program_ + ": error: the ranks on host " + hosts_[self] + " have waited for " +
         seconds(idle) + " (--stall-timeout) at update " +
         std::to_string(board_->pulse(node_rank_).update.load()) + ", in " +
         name_of(board_->pulse(node_rank_).operation.load()) + ", for ranks of other hosts" +
         (silent.empty() ? "; all hosts wait, and no message comes"
                         : "; no word from " + silent +
                               ": the host or its network is down, or it is busy with something "
                               "else for that long") +
         how_to_go_on;
}

std::string Watchdog::marker(int leader) const {
  return folder_ + "/.stalled-" + std::to_string(leader);
}

/// What is stuck does not end when it is asked to.
void Watchdog::end(const Seen& seen) const {
  std::fflush(stderr);
  for (const std::int32_t leader : leaders_) {
    std::error_code ignored;
    if (!folder_.empty()) {
      std::filesystem::remove(marker(leader), ignored);
    }
  }
  for (std::size_t i = 0; i < seen.ranks.size(); ++i) {
    if (seen.ranks[i].is_stuck() && static_cast<int>(i) != node_rank_) {
      ::kill(board_->pulse(static_cast<int>(i)).process.load(), SIGKILL);
    }
  }
  std::_Exit(exit_failed);
}

}  // namespace dnn
