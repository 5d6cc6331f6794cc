#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "dnn/comm/communicator.hpp"
#include "dnn/comm/node.hpp"
#include "dnn/comm/node_watch.hpp"

namespace dnn {

/// Ends a job in which no rank makes progress, and reports which rank is stuck and where.
///
/// Note [Who is stuck]
/// When one rank is stuck, soon all others wait for it, and from inside a wait nobody can tell for
/// whom. So every rank notes down what it does (Heartbeat) in memory that its node's ranks share,
/// and a thread of each rank watches the whole node. When no rank of it has made progress for the
/// timeout, those are stuck that do not wait for others, or whose thread does not run either (a
/// stopped process); a rank that computes or reads gets on as long as it uses the processor. One
/// rank of the node reports, kills those, and ends its own process with exit code 1, upon which the
/// launcher ends the job with that code or the one of a killed process.
///
/// Where all ranks of the node wait, the stuck one is on another node, which says so by itself; its
/// whole host may be out of reach, though. So each node that waits leaves a marker in the run
/// folder, and when some more time has passed, one names the nodes of which there is none.
///
/// All ranks waiting at different operations, on a node that is the whole job, wait for each other:
/// that ends after `mismatch_seconds` already. (Between nodes a message may be that slow.)
///
/// A job that is suspended as a whole (SIGSTOP by the scheduler) does not use up the timeout: only
/// time in which the watching thread runs counts.
class Watchdog {
 public:
  static constexpr double mismatch_seconds = 5;
  /// Before training, nodes may take very different times to load their data: how many times the
  /// timeout those that are done wait for the others.
  static constexpr double patience_before_training = 4;

  /// Collective over `world`, whose ranks' heartbeats are recorded in the memory of `node` from now
  /// on; both must outlive the watchdog, and node.close() comes after it. `timeout`: seconds, above
  /// 0. `program`: what messages begin with. Signals that the calling thread blocks stay blocked in
  /// the watching thread.
  Watchdog(const Communicator& world, Node& node, double timeout, std::string program);
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;
  /// Not collective.
  ~Watchdog();

  /// The folder for markers, which all nodes can see; none: nodes know only of themselves.
  void use_folder(std::string path);

 private:
  void work();
  [[nodiscard]] bool is_whole_job() const { return watch_.ranks().size() == leaders_.size(); }
  [[nodiscard]] bool is_over() const;
  [[nodiscard]] double patience() const;
  void report();
  [[nodiscard]] std::string describe_node() const;
  [[nodiscard]] std::string describe_other_nodes() const;
  [[nodiscard]] std::string marker(std::int32_t leader) const;
  [[nodiscard]] bool is_marked(std::int32_t leader) const;
  [[noreturn]] void end(const std::string& message) const;

  std::string program_;
  double timeout_;
  double interval_;
  std::vector<std::string> hosts_;     ///< of each rank of the job
  std::vector<std::int32_t> leaders_;  ///< the rank that leads each rank's node
  std::int32_t leader_;                ///< of this node
  NodeWatch watch_;
  bool reports_ = false;  ///< this rank is the one of its node that reports

  std::mutex mutex_;
  std::condition_variable wake_;
  bool end_ = false;
  std::string folder_;
  std::thread thread_;
};

}  // namespace dnn
