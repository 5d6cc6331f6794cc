#pragma once

// How much of its cores this job really gets, beside other work on its hosts.

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "dnn/comm/communicator.hpp"
#include "dnn/comm/node.hpp"

namespace dnn {

/// Processor time of this process's threads, as the kernel counts it.
struct ProcessorTime {
  double used = 0;    ///< seconds that they ran
  double waited = 0;  ///< seconds that they could have run, but something else did

  /// None where the kernel does not count it (/proc/self/task/N/schedstat).
  [[nodiscard]] static std::optional<ProcessorTime> find();
  [[nodiscard]] ProcessorTime since(const ProcessorTime& before) const {
    return {used - before.used, waited - before.waited};
  }
  /// The part of the time it could have used that a process got: 1 on cores of its own, 0.5 where
  /// another process wants the same core all the time.
  [[nodiscard]] double share() const { return used > 0 ? used / (used + waited) : 1; }
};

/// Note [Slow for a reason outside]
/// Two jobs on one host may be bound to the same core, since each mpirun counts cores from 0. The
/// time that threads wait for a core tells it: ranks that wait for each other sleep or spin, and
/// both do not count. It is looked at every few seconds; where all looks of a while agree, each
/// host warns once. A job with more ranks and threads than cores makes its ranks wait itself, and
/// has been warned of that, so it gets no warning here.
class CoreWatch {
 public:
  /// Seconds between two looks, and how many in a row have to agree.
  static constexpr double interval = 2;
  static constexpr int looks = 3;
  /// Ranks that get less than this share of their cores are warned of.
  static constexpr double least_share = 0.75;

  /// Collective over `node`, which must outlive the watch. `warns`: whether this job has cores
  /// enough for its own ranks and threads. `program`: the program's name, for the warning.
  CoreWatch(Node& node, int world_rank, bool warns, std::string program);
  CoreWatch(const CoreWatch&) = delete;
  CoreWatch& operator=(const CoreWatch&) = delete;
  /// Not collective.
  ~CoreWatch();

  /// This rank's since the watch began; none where the kernel does not count it.
  [[nodiscard]] std::optional<double> share() const;

 private:
  struct Seat;

  void work();
  void look();
  [[nodiscard]] std::string describe() const;

  std::string program_;
  bool is_speaker_;
  std::size_t ranks_;
  std::size_t own_;
  Seat* seats_;
  std::optional<ProcessorTime> begin_;
  std::optional<ProcessorTime> last_;
  int low_ = 0;  ///< looks in a row at a low share
  bool warned_ = false;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool end_ = false;
  std::thread thread_;
};

/// "0-3, 8" of the cores that this process may use.
[[nodiscard]] std::string own_cores();

}  // namespace dnn
