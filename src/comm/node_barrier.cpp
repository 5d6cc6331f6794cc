#include "dnn/comm/node_barrier.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <climits>
#include <cstdint>
#include <ctime>
#include <memory>

namespace dnn {

namespace {

using Word = std::atomic<std::uint32_t>;
static_assert(sizeof(Word) == 4 && Word::is_always_lock_free, "a futex is a 32-bit word");

constexpr timespec progress_interval{0, 100'000};

/// The kernel's futex over memory that processes share (std::atomic::wait is for one process's).
/// `at_most`: how long; null: as long as it takes.
void sleep_while_equal(Word& word, std::uint32_t value, const timespec* at_most) {
  ::syscall(SYS_futex, &word, FUTEX_WAIT, value, at_most, nullptr, 0);
}
void wake_all(Word& word) {
  ::syscall(SYS_futex, &word, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

}  // namespace

/// What so many ranks arrive at and wait on.
struct NodeBarrier::Group {
  alignas(64) Word arrived;
  alignas(64) Word round;
  alignas(64) Word sleepers;
};

/// Where the last of each group arrive.
struct NodeBarrier::Root {
  alignas(64) Word arrived;
};

NodeBarrier::NodeBarrier(Node& node, bool shared_cores, const Communicator* between_nodes)
    : ranks_(static_cast<unsigned>(node.size())),
      group_((static_cast<unsigned>(node.rank())) / group_size),
      spins_(shared_cores ? 0 : 2'000),
      between_nodes_(between_nodes),
      heartbeat_(node.ranks().heartbeat()) {
  const unsigned groups = (ranks_ + group_size - 1) / group_size;
  const std::span<std::byte> memory = node.allocate_shared(sizeof(Root) + groups * sizeof(Group));
  root_ = reinterpret_cast<Root*>(memory.data());
  groups_ = {reinterpret_cast<Group*>(memory.data() + sizeof(Root)), groups};
  if (node.is_leader()) {
    std::construct_at(root_);
    for (Group& group : groups_) {
      std::construct_at(&group);
    }
  }
  node.synchronize();
}

/// Whether this rank is the last of all ranks.
bool NodeBarrier::arrive() {
  Group& own = groups_[group_];
  const unsigned members = std::min(group_size, ranks_ - group_ * group_size);
  if (own.arrived.fetch_add(1) + 1 < members) {
    return false;
  }
  own.arrived.store(0);
  if (root_->arrived.fetch_add(1) + 1 < groups_.size()) {
    return false;
  }
  root_->arrived.store(0);
  return true;
}

void NodeBarrier::release(unsigned round) {
  for (Group& group : groups_) {
    group.round.store(round + 1);
    if (group.sleepers.load() != 0) {
      wake_all(group.round);
    }
  }
}

/// Whether the last rank arrives while this one looks.
bool NodeBarrier::passes_while_awake(unsigned round) const {
  constexpr int spins_a_progress = 256;
  for (int i = 0; i < spins_; ++i) {
    if (groups_[group_].round.load(std::memory_order_acquire) != round) {
      return true;
    }
    if (between_nodes_ != nullptr && i % spins_a_progress == 0) {
      between_nodes_->progress();
    }
    relax();
  }
  return false;
}

void NodeBarrier::wait() {
  const HeartbeatRecorder::Waiting waiting(heartbeat_, Operation::node_barrier);
  Group& own = groups_[group_];
  const std::uint32_t round = own.round.load();
  if (arrive()) {
    release(round);
    return;
  }
  if (passes_while_awake(round)) {
    return;
  }
  // In this order, so that the last to arrive either sees this sleeper or has moved the round on.
  own.sleepers.fetch_add(1);
  while (own.round.load() == round) {
    if (between_nodes_ != nullptr) {
      between_nodes_->progress();
    }
    sleep_while_equal(own.round, round, between_nodes_ != nullptr ? &progress_interval : nullptr);
  }
  own.sleepers.fetch_sub(1);
}

}  // namespace dnn
