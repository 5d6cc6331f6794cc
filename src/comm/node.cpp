#include "dnn/comm/node.hpp"

#include <fmt/format.h>
#include <sys/statvfs.h>

#include <atomic>
#include <cstdint>

#include "dnn/comm/collective_error.hpp"
#include "dnn/comm/mpi_error.hpp"
#include "dnn/core/available_memory.hpp"
#include "dnn/core/error.hpp"

namespace dnn {

namespace {

constexpr std::size_t alignment = 64;

std::span<std::byte> aligned(void* base, std::size_t bytes) {
  const std::size_t beyond = reinterpret_cast<std::uintptr_t>(base) % alignment;
  return {static_cast<std::byte*>(base) + (beyond == 0 ? 0 : alignment - beyond), bytes};
}

/// What /dev/shm of this host has.
struct Room {
  std::size_t size = 0;
  std::size_t free = 0;

  [[nodiscard]] static Room find() {
    struct statvfs status {};
    if (::statvfs("/dev/shm", &status) != 0) {
      return {};
    }
    return {status.f_blocks * status.f_frsize, status.f_bavail * status.f_frsize};
  }
  [[nodiscard]] std::string describe() const {
    return size == 0 ? "this host has no /dev/shm"
                     : fmt::format("/dev/shm has {} of {} left", size_text(free), size_text(size));
  }
};

/// See Note [A small /dev/shm].
bool fits(const Room& room, std::size_t bytes, std::size_t promised, std::size_t on_host) {
  constexpr std::size_t for_others = std::size_t{4} << 20;
  return room.free / 2 / on_host >= bytes + promised && room.free >= for_others;
}

std::string no_memory(std::size_t bytes, std::size_t available, const std::string& purpose) {
  return fmt::format(
      "{} needs {} of memory, but this job may use {} more on this host; use more hosts, a smaller "
      "network or batch, or ask the batch system or the container for more memory",
      purpose, size_text(bytes), size_text(available));
}

}  // namespace

Node::Node(const Communicator& world) : ranks_(world.split_by_node()) {}

Node::Node(const Communicator& world, int domain) : ranks_(world.split_by_node().split(domain)) {
  const auto leaders =
      world.split_by_node().all_reduce<std::int64_t>(is_leader() ? 1 : 0, Reduction::sum);
  on_host_ = static_cast<std::size_t>(leaders);
}

std::span<std::byte> Node::allocate_shared(std::size_t bytes, const std::string& purpose) {
  ranks_.broadcast(std::as_writable_bytes(std::span(&bytes, 1)), 0);
  std::size_t available = is_leader() ? available_memory() : 0;
  ranks_.broadcast(std::as_writable_bytes(std::span(&available, 1)), 0);
  if (bytes > available / on_host_) {
    throw InputError(no_memory(bytes * on_host_, available, purpose));
  }
  if (size() == 1) {
    own_memory_.push_back(std::make_unique<std::byte[]>(bytes + alignment));
    return aligned(own_memory_.back().get(), bytes);
  }
  std::uint8_t in_window =
      is_leader() && fits(Room::find(), bytes, window_bytes_, on_host_) ? 1 : 0;
  ranks_.broadcast(std::as_writable_bytes(std::span(&in_window, 1)), 0);
  return in_window != 0 ? allocate_window(bytes) : allocate_mapping(bytes, purpose);
}

std::span<std::byte> Node::allocate_window(std::size_t bytes) {
  const HeartbeatRecorder::Waiting waiting(ranks_.heartbeat(), Operation::window);
  // The windows are mapped at page boundaries, so the aligned address is the same byte on all
  // ranks.
  const auto own = static_cast<MPI_Aint>(is_leader() ? bytes + alignment : 0);
  void* base = nullptr;
  MPI_Win window = MPI_WIN_NULL;
  check_mpi(MPI_Win_allocate_shared(own, 1, MPI_INFO_NULL, ranks_.handle(), &base, &window),
            "MPI_Win_allocate_shared");
  windows_.push_back(window);
  window_bytes_ += bytes;
  check_mpi(MPI_Win_set_errhandler(window, MPI_ERRORS_RETURN), "MPI_Win_set_errhandler");
  check_mpi(MPI_Win_lock_all(MPI_MODE_NOCHECK, window), "MPI_Win_lock_all");
  MPI_Aint size = 0;
  int unit = 0;
  check_mpi(MPI_Win_shared_query(window, 0, &size, &unit, &base), "MPI_Win_shared_query");
  return aligned(base, bytes);
}

std::span<std::byte> Node::allocate_mapping(std::size_t bytes, const std::string& purpose) {
  const Room room = Room::find();
  try {
    mappings_.push_back(SharedMapping::make(ranks_, bytes + alignment));
  } catch (const AgreedError& error) {
    // The other nodes know nothing of it.
    throw InputError(
        fmt::format("no room for {}, {}: {}; {}; give the container a larger /dev/shm (docker run "
                    "--shm-size, an emptyDir of medium Memory), or set TMPDIR to a folder with "
                    "more room",
                    purpose, size_text(bytes), room.describe(), error.what()));
  }
  mapped_bytes_ += bytes;
  if (is_leader()) {
    shortage_ = shortage_.empty() ? room.describe() : shortage_;
    memory_note_ =
        fmt::format("{}, so {} of the memory that its ranks share come from {}", shortage_,
                    size_text(mapped_bytes_), describe(mappings_.back().source()));
  }
  return aligned(mappings_.back().bytes().data(), bytes);
}

void Node::synchronize() const {
  for (const MPI_Win window : windows_) {
    check_mpi(MPI_Win_sync(window), "MPI_Win_sync");
  }
  std::atomic_thread_fence(std::memory_order_seq_cst);  // for mappings
  ranks_.barrier();
  std::atomic_thread_fence(std::memory_order_seq_cst);
  for (const MPI_Win window : windows_) {
    check_mpi(MPI_Win_sync(window), "MPI_Win_sync");
  }
}

void Node::close() {
  const HeartbeatRecorder::Waiting waiting(ranks_.heartbeat(), Operation::window);
  for (MPI_Win& window : windows_) {
    check_mpi(MPI_Win_unlock_all(window), "MPI_Win_unlock_all");
    check_mpi(MPI_Win_free(&window), "MPI_Win_free");
  }
  windows_.clear();
  window_bytes_ = 0;
  mappings_.clear();
  mapped_bytes_ = 0;
  own_memory_.clear();
}

}  // namespace dnn
