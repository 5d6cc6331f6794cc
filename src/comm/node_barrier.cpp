#include "dnn/comm/node_barrier.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

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

struct NodeBarrier::State {
  alignas(64) Word arrived;
  alignas(64) Word round;
  alignas(64) Word sleepers;
};

NodeBarrier::NodeBarrier(Node& node, bool shared_cores, const Communicator* between_nodes)
    : ranks_(static_cast<unsigned>(node.size())),
      spins_(shared_cores ? 0 : 2'000),
      between_nodes_(between_nodes),
      pulse_(node.ranks().pulse()) {
  const std::span<std::byte> memory = node.allocate_shared(sizeof(State));
  state_ = reinterpret_cast<State*>(memory.data());
  if (node.is_leader()) {
    std::construct_at(state_);
  }
  node.synchronize();
}

/// Whether the last rank arrives while this one looks.
bool NodeBarrier::passes_while_awake(unsigned round) const {
  constexpr int spins_a_progress = 256;
  for (int i = 0; i < spins_; ++i) {
    if (state_->round.load(std::memory_order_acquire) != round) {
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
  const PulseRecorder::Waiting waiting(pulse_, Operation::node_barrier);
  const std::uint32_t round = state_->round.load();
  if (state_->arrived.fetch_add(1) + 1 == ranks_) {
    state_->arrived.store(0);
    state_->round.store(round + 1);
    if (state_->sleepers.load() != 0) {
      wake_all(state_->round);
    }
    return;
  }
  if (passes_while_awake(round)) {
    return;
  }
  // In this order, so that the last to arrive either sees this sleeper or has moved the round on.
  state_->sleepers.fetch_add(1);
  while (state_->round.load() == round) {
    if (between_nodes_ != nullptr) {
      between_nodes_->progress();
    }
    sleep_while_equal(state_->round, round,
                      between_nodes_ != nullptr ? &progress_interval : nullptr);
  }
  state_->sleepers.fetch_sub(1);
}

}  // namespace dnn
