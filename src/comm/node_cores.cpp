#include "dnn/comm/node_cores.hpp"

#include <sched.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

#include "dnn/core/control_groups.hpp"
#include "dnn/core/threads.hpp"

namespace dnn {

namespace {

namespace fs = std::filesystem;

/// The cores that the calling thread may run on.
CoreSet own_set() {
  CoreSet set{};
  if (::sched_getaffinity(0, sizeof(set), reinterpret_cast<cpu_set_t*>(set.data())) != 0) {
    set = {1};
  }
  return set;
}

/// A system that does not allow it leaves the threads where they are.
void move_thread_to(const CoreSet& set) {
  (void)::sched_setaffinity(0, sizeof(set), reinterpret_cast<const cpu_set_t*>(set.data()));
}

std::size_t count(const CoreSet& set) {
  std::size_t bits = 0;
  for (const std::uint64_t word : set) {
    bits += static_cast<std::size_t>(std::popcount(word));
  }
  return bits;
}

/// How many cores one control group may use, or 0: cpu.max holds "max 100000" or "150000 100000",
/// microseconds in a period; version 1 has a file for each, and -1 for no limit.
std::size_t quota_of(const ControlGroup& group) {
  const fs::path folder = group.folder;
  std::ifstream file(folder / (group.version == 2 ? "cpu.max" : "cpu.cfs_quota_us"));
  std::ifstream other(folder / "cpu.cfs_period_us");
  double quota = 0;
  double period = 0;
  if (!(file >> quota) || !((group.version == 2 ? file : other) >> period) || quota <= 0 ||
      period <= 0) {
    return 0;
  }
  return std::max<std::size_t>(1, static_cast<std::size_t>(quota / period));
}

}  // namespace

std::size_t cpu_quota(const std::string& root) {
  std::size_t least = 0;
  for (const ControlGroup& group : control_groups(root, "cpu")) {
    const std::size_t quota = quota_of(group);
    least = quota == 0 || (least != 0 && least < quota) ? least : quota;
  }
  return least;
}

NodeCores NodeCores::find(const Communicator& node) {
  CoreSet set = own_set();
  NodeCores cores;
  cores.own = std::max<std::size_t>(1, count(set));
  node.all_reduce(std::span<std::uint64_t>(set), Reduction::bit_or);
  cores.node = std::max<std::size_t>(1, count(set));
  cores.node_set = set;
  const std::size_t quota = cpu_quota();
  const auto agreed = static_cast<std::size_t>(
      node.all_reduce<std::uint64_t>(quota == 0 ? cores.node : quota, Reduction::min));
  cores.node = std::min(cores.node, agreed);
  cores.own = std::min(cores.own, cores.node);
  return cores;
}

BorrowedCores::BorrowedCores(const NodeCores& cores, std::size_t threads)
    : threads_before_(dnn::threads()),
      threads_(std::clamp<std::size_t>(threads, 1, cores.node)),
      own_(own_set()) {
  set_threads(static_cast<int>(threads_));
  if (threads_ > 1) {
    move_thread_to(cores.node_set);  // the threads that it starts begin where it is
  }
}

BorrowedCores::~BorrowedCores() {
  if (threads_ > 1) {
    parallel_for(threads_, 1, [this](Range) { move_thread_to(own_); });
  }
  set_threads(threads_before_);
}

}  // namespace dnn
