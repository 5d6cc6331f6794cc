#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dnn/comm/communicator.hpp"
#include "dnn/comm/heartbeat.hpp"
#include "dnn/comm/node.hpp"

namespace dnn {

/// What the ranks of a node do, as one thread of one of them sees it: their heartbeats lie in
/// memory that they share.
class NodeWatch {
 public:
  /// A rank of the node as it was when last looked at.
  struct Rank {
    std::int32_t number = 0;  ///< in the job
    std::int32_t process = 0;
    Activity activity = Activity::starting;
    Operation operation = Operation::none;
    std::uint64_t update = 0;
    std::uint64_t beats = 0;
    std::uint64_t ticks = 0;
    double silent = 0;     ///< seconds that its watching thread has not run
    bool stopped = false;  ///< that is long enough for its process to be stopped
    /// Whether it is not waiting for others, or would not hear of them.
    [[nodiscard]] bool is_stuck() const { return stopped || operation == Operation::none; }
  };

  /// Collective over `world`, whose ranks' heartbeats are recorded in the memory of `node` from now
  /// on; both must outlive the watch. `interval`: seconds between two looks.
  NodeWatch(const Communicator& world, Node& node, double interval);
  NodeWatch(const NodeWatch&) = delete;
  NodeWatch& operator=(const NodeWatch&) = delete;
  /// The heartbeat is recorded in this process again. Not collective.
  ~NodeWatch();

  /// Looks at all ranks, `passed` seconds after the last time.
  void look(double passed);

  /// Seconds in which no rank has made progress.
  [[nodiscard]] double idle() const { return idle_; }
  [[nodiscard]] const std::vector<Rank>& ranks() const { return ranks_; }
  [[nodiscard]] const Rank& own() const { return ranks_[node_rank_]; }
  [[nodiscard]] bool any_stuck() const;
  [[nodiscard]] bool all_at_the_same() const;  ///< operation, of the same update
  [[nodiscard]] bool is_training() const;

  /// Whether this rank is the one of the node that reports: the first to ask.
  [[nodiscard]] bool claim_report();
  /// After claim_report: another rank may claim it.
  void release_report();

  /// One line for each rank, those that are stuck first.
  [[nodiscard]] std::string describe(const std::string& host) const;

 private:
  struct Board;

  const Communicator& world_;
  double interval_;
  std::size_t node_rank_;
  Board* board_;
  std::vector<Rank> ranks_;
  double idle_ = 0;
  double busy_ = 0;  ///< of the processor's time, up to the last look
};

}  // namespace dnn
