#include "dnn/comm/node.hpp"

#include <cstdint>

#include "dnn/comm/mpi_error.hpp"

namespace dnn {

namespace {

constexpr std::size_t alignment = 64;

std::span<std::byte> aligned(void* base, std::size_t bytes) {
  const std::size_t beyond = reinterpret_cast<std::uintptr_t>(base) % alignment;
  return {static_cast<std::byte*>(base) + (beyond == 0 ? 0 : alignment - beyond), bytes};
}

}  // namespace

Node::Node(const Communicator& world) : ranks_(world.split_by_node()) {}

Node::Node(const Communicator& world, int domain) : ranks_(world.split_by_node().split(domain)) {}

std::span<std::byte> Node::allocate_shared(std::size_t bytes) {
  ranks_.broadcast(std::as_writable_bytes(std::span(&bytes, 1)), 0);
  if (size() == 1) {
    own_memory_.push_back(std::make_unique<std::byte[]>(bytes + alignment));
    return aligned(own_memory_.back().get(), bytes);
  }
  const HeartbeatRecorder::Waiting waiting(ranks_.heartbeat(), Operation::window);
  // The windows are mapped at page boundaries, so the aligned address is the same byte on all
  // ranks.
  const auto own = static_cast<MPI_Aint>(is_leader() ? bytes + alignment : 0);
  void* base = nullptr;
  MPI_Win window = MPI_WIN_NULL;
  check_mpi(MPI_Win_allocate_shared(own, 1, MPI_INFO_NULL, ranks_.handle(), &base, &window),
            "MPI_Win_allocate_shared");
  windows_.push_back(window);
  check_mpi(MPI_Win_set_errhandler(window, MPI_ERRORS_RETURN), "MPI_Win_set_errhandler");
  check_mpi(MPI_Win_lock_all(MPI_MODE_NOCHECK, window), "MPI_Win_lock_all");
  MPI_Aint size = 0;
  int unit = 0;
  check_mpi(MPI_Win_shared_query(window, 0, &size, &unit, &base), "MPI_Win_shared_query");
  return aligned(base, bytes);
}

void Node::synchronize() const {
  for (const MPI_Win window : windows_) {
    check_mpi(MPI_Win_sync(window), "MPI_Win_sync");
  }
  ranks_.barrier();
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
  own_memory_.clear();
}

}  // namespace dnn
