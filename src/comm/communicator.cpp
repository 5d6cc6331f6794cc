#include "dnn/comm/communicator.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <stdexcept>
#include <thread>
#include <type_traits>
#include <utility>

#include "dnn/comm/mpi_error.hpp"
#include "dnn/core/error.hpp"

namespace dnn {

namespace {

constexpr int text_tag = 1;

template <class T>
MPI_Datatype mpi_type() {
  if constexpr (std::is_same_v<T, float>) {
    return MPI_FLOAT;
  } else if constexpr (std::is_same_v<T, double>) {
    return MPI_DOUBLE;
  } else if constexpr (std::is_same_v<T, std::int64_t>) {
    return MPI_INT64_T;
  } else if constexpr (std::is_same_v<T, std::byte>) {
    return MPI_BYTE;
  } else {
    static_assert(std::is_same_v<T, std::uint64_t>);
    return MPI_UINT64_T;
  }
}

MPI_Op mpi_op(Reduction reduction) {
  switch (reduction) {
    case Reduction::sum:
      return MPI_SUM;
    case Reduction::min:
      return MPI_MIN;
    case Reduction::bit_or:
      return MPI_BOR;
    default:
      return MPI_MAX;
  }
}

/// Sizes and places of blocks that lie one after another, as MPI wants them.
struct Blocks {
  std::vector<int> sizes;
  std::vector<int> offsets;

  explicit Blocks(std::span<const std::size_t> elements) {
    std::size_t offset = 0;
    for (const std::size_t size : elements) {
      sizes.push_back(static_cast<int>(size));
      offsets.push_back(static_cast<int>(offset));
      offset += size;
      if (offset > std::numeric_limits<int>::max()) {
        throw std::length_error("MPI_Alltoallv takes fewer than 2^31 elements");
      }
    }
  }
};

}  // namespace

Communicator::Communicator(MPI_Comm owned, std::shared_ptr<HeartbeatRecorder> heartbeat,
                           const Communicator* parent)
    : handle_(owned), heartbeat_(std::move(heartbeat)) {
  check_mpi(MPI_Comm_set_errhandler(handle_, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  check_mpi(MPI_Comm_rank(handle_, &rank_), "MPI_Comm_rank");
  check_mpi(MPI_Comm_size(handle_, &size_), "MPI_Comm_size");
  job_rank_ = parent != nullptr ? parent->job_rank_ : rank_;
}

Communicator Communicator::duplicate_given(MPI_Comm parent) {
  int started = 0;
  int ended = 0;
  check_mpi(MPI_Initialized(&started), "MPI_Initialized");
  check_mpi(MPI_Finalized(&ended), "MPI_Finalized");
  if (started == 0 || ended != 0) {
    throw InputError(started == 0 ? "MPI is not initialized: call MPI_Init first"
                                  : "MPI is finalized already");
  }
  if (parent == MPI_COMM_NULL) {
    throw InputError(
        "the communicator is MPI_COMM_NULL: give one that this rank belongs to, as MPI_COMM_WORLD");
  }
  int is_inter = 0;
  check_mpi(MPI_Comm_test_inter(parent, &is_inter), "MPI_Comm_test_inter");
  if (is_inter != 0) {
    throw InputError("the communicator is an intercommunicator; merge it first");
  }
  return duplicate(parent);
}

Communicator Communicator::duplicate(MPI_Comm parent) {
  MPI_Comm copy = MPI_COMM_NULL;
  check_mpi(MPI_Comm_dup(parent, &copy), "MPI_Comm_dup");
  return {copy, std::make_shared<HeartbeatRecorder>(), nullptr};
}

Communicator::Communicator(Communicator&& other) noexcept
    : handle_(std::exchange(other.handle_, MPI_COMM_NULL)),
      rank_(other.rank_),
      size_(other.size_),
      job_rank_(other.job_rank_),
      // NOLINTNEXTLINE(performance-move-constructor-init): heartbeat() is never null
      heartbeat_(other.heartbeat_) {}

Communicator& Communicator::operator=(Communicator&& other) noexcept {
  if (this != &other) {
    release();
    handle_ = std::exchange(other.handle_, MPI_COMM_NULL);
    rank_ = other.rank_;
    size_ = other.size_;
    job_rank_ = other.job_rank_;
    heartbeat_ = other.heartbeat_;
  }
  return *this;
}

Communicator::~Communicator() {
  release();
}

void Communicator::release() noexcept {
  int ended = 0;
  if (handle_ != MPI_COMM_NULL && MPI_Finalized(&ended) == MPI_SUCCESS && ended == 0) {
    MPI_Comm_free(&handle_);
  }
}

Communicator Communicator::split_by_node() const {
  const HeartbeatRecorder::Waiting waiting(*heartbeat_, Operation::split);
  MPI_Comm node = MPI_COMM_NULL;
  check_mpi(MPI_Comm_split_type(handle_, MPI_COMM_TYPE_SHARED, rank_, MPI_INFO_NULL, &node),
            "MPI_Comm_split_type");
  return {node, heartbeat_, this};
}

Communicator Communicator::split(int color, int key) const {
  const HeartbeatRecorder::Waiting waiting(*heartbeat_, Operation::split);
  MPI_Comm part = MPI_COMM_NULL;
  check_mpi(MPI_Comm_split(handle_, color, key, &part), "MPI_Comm_split");
  return {part, heartbeat_, this};
}

void Communicator::barrier() const {
  const HeartbeatRecorder::Waiting waiting(*heartbeat_, Operation::barrier);
  check_mpi(MPI_Barrier(handle_), "MPI_Barrier");
}

void Communicator::sleeping_barrier() const {
  constexpr std::chrono::microseconds longest(2000);
  const HeartbeatRecorder::Waiting waiting(*heartbeat_, Operation::barrier);
  MPI_Request request = MPI_REQUEST_NULL;
  check_mpi(MPI_Ibarrier(handle_, &request), "MPI_Ibarrier");
  std::chrono::microseconds pause(20);
  for (int done = 0; done == 0; pause = std::min(2 * pause, longest)) {
    check_mpi(MPI_Test(&request, &done, MPI_STATUS_IGNORE), "MPI_Test");
    if (done == 0) {
      std::this_thread::sleep_for(pause);
    }
  }
}

void Communicator::progress() const {
  int found = 0;
  check_mpi(MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, handle_, &found, MPI_STATUS_IGNORE),
            "MPI_Iprobe");
}

template <class T>
void Communicator::all_reduce(std::span<T> values, Reduction reduction) const {
  if (size_ == 1) {
    return;
  }
  for (std::size_t done = 0; done < values.size(); done += most_per_call) {
    const HeartbeatRecorder::Waiting waiting(*heartbeat_, Operation::all_reduce);
    const std::size_t count = std::min(most_per_call, values.size() - done);
    check_mpi(MPI_Allreduce(MPI_IN_PLACE, values.data() + done, static_cast<int>(count),
                            mpi_type<T>(), mpi_op(reduction), handle_),
              "MPI_Allreduce");
  }
}

template void Communicator::all_reduce(std::span<float>, Reduction) const;
template void Communicator::all_reduce(std::span<double>, Reduction) const;
template void Communicator::all_reduce(std::span<std::int64_t>, Reduction) const;
template void Communicator::all_reduce(std::span<std::uint64_t>, Reduction) const;

template <class T>
Request Communicator::begin_all_reduce(std::span<T> values, Reduction reduction) const {
  MPI_Request request = MPI_REQUEST_NULL;
  check_mpi(MPI_Iallreduce(MPI_IN_PLACE, values.data(), static_cast<int>(values.size()),
                           mpi_type<T>(), mpi_op(reduction), handle_, &request),
            "MPI_Iallreduce");
  return Request(request);
}

template Request Communicator::begin_all_reduce(std::span<float>, Reduction) const;
template Request Communicator::begin_all_reduce(std::span<double>, Reduction) const;

void Communicator::all_to_all(std::span<const std::byte> from, std::span<std::byte> to) const {
  const HeartbeatRecorder::Waiting waiting(*heartbeat_, Operation::all_to_all);
  const auto block = static_cast<int>(from.size() / static_cast<std::size_t>(size_));
  check_mpi(MPI_Alltoall(from.data(), block, MPI_BYTE, to.data(), block, MPI_BYTE, handle_),
            "MPI_Alltoall");
}

template <class T>
void Communicator::all_to_all(std::span<const T> from, std::span<const std::size_t> from_sizes,
                              std::span<T> to, std::span<const std::size_t> to_sizes) const {
  const HeartbeatRecorder::Waiting waiting(*heartbeat_, Operation::all_to_all);
  const Blocks sent(from_sizes);
  const Blocks received(to_sizes);
  check_mpi(
      MPI_Alltoallv(from.data(), sent.sizes.data(), sent.offsets.data(), mpi_type<T>(), to.data(),
                    received.sizes.data(), received.offsets.data(), mpi_type<T>(), handle_),
      "MPI_Alltoallv");
}

template void Communicator::all_to_all(std::span<const float>, std::span<const std::size_t>,
                                       std::span<float>, std::span<const std::size_t>) const;
template void Communicator::all_to_all(std::span<const double>, std::span<const std::size_t>,
                                       std::span<double>, std::span<const std::size_t>) const;
template void Communicator::all_to_all(std::span<const std::byte>, std::span<const std::size_t>,
                                       std::span<std::byte>, std::span<const std::size_t>) const;

template <class T>
Request Communicator::begin_all_to_all(const T* from, const std::vector<int>& from_counts,
                                       const std::vector<int>& from_offsets, T* to,
                                       const std::vector<int>& to_counts,
                                       const std::vector<int>& to_offsets) const {
  MPI_Request request = MPI_REQUEST_NULL;
  check_mpi(MPI_Ialltoallv(from, from_counts.data(), from_offsets.data(), mpi_type<T>(), to,
                           to_counts.data(), to_offsets.data(), mpi_type<T>(), handle_, &request),
            "MPI_Ialltoallv");
  return Request(request);
}

template <class T>
Request Communicator::begin_all_gather(T* values, const std::vector<int>& counts,
                                       const std::vector<int>& offsets) const {
  MPI_Request request = MPI_REQUEST_NULL;
  check_mpi(MPI_Iallgatherv(MPI_IN_PLACE, 0, mpi_type<T>(), values, counts.data(), offsets.data(),
                            mpi_type<T>(), handle_, &request),
            "MPI_Iallgatherv");
  return Request(request);
}

template Request Communicator::begin_all_to_all(const float*, const std::vector<int>&,
                                                const std::vector<int>&, float*,
                                                const std::vector<int>&,
                                                const std::vector<int>&) const;
template Request Communicator::begin_all_gather(float*, const std::vector<int>&,
                                                const std::vector<int>&) const;
template Request Communicator::begin_all_to_all(const double*, const std::vector<int>&,
                                                const std::vector<int>&, double*,
                                                const std::vector<int>&,
                                                const std::vector<int>&) const;
template Request Communicator::begin_all_gather(double*, const std::vector<int>&,
                                                const std::vector<int>&) const;

void Communicator::all_gather(std::span<const std::byte> from, std::span<std::byte> to) const {
  const HeartbeatRecorder::Waiting waiting(*heartbeat_, Operation::all_gather);
  const auto block = static_cast<int>(from.size());
  check_mpi(MPI_Allgather(from.data(), block, MPI_BYTE, to.data(), block, MPI_BYTE, handle_),
            "MPI_Allgather");
}

void Communicator::broadcast(std::span<std::byte> bytes, int root) const {
  for (std::size_t done = 0; done < bytes.size(); done += most_per_call) {
    const HeartbeatRecorder::Waiting waiting(*heartbeat_, Operation::broadcast);
    const std::size_t count = std::min(most_per_call, bytes.size() - done);
    check_mpi(MPI_Bcast(bytes.data() + done, static_cast<int>(count), MPI_BYTE, root, handle_),
              "MPI_Bcast");
  }
}

std::string Communicator::broadcast(std::string text, int root) const {
  std::uint64_t length = text.size();
  broadcast(std::as_writable_bytes(std::span(&length, 1)), root);
  text.resize(length);
  broadcast(std::as_writable_bytes(std::span(text)), root);
  return text;
}

void Communicator::begin_send(std::span<const std::byte> bytes, int to,
                              std::vector<Request>& requests, std::size_t piece) const {
  for (std::size_t done = 0; done < bytes.size(); done += piece) {
    const std::size_t count = std::min(piece, bytes.size() - done);
    MPI_Request request = MPI_REQUEST_NULL;
    check_mpi(
        MPI_Isend(bytes.data() + done, static_cast<int>(count), MPI_BYTE, to, 0, handle_, &request),
        "MPI_Isend");
    requests.emplace_back(request);
  }
}

void Communicator::begin_receive(std::span<std::byte> bytes, int from,
                                 std::vector<Request>& requests, std::size_t piece) const {
  for (std::size_t done = 0; done < bytes.size(); done += piece) {
    const std::size_t count = std::min(piece, bytes.size() - done);
    MPI_Request request = MPI_REQUEST_NULL;
    check_mpi(MPI_Irecv(bytes.data() + done, static_cast<int>(count), MPI_BYTE, from, 0, handle_,
                        &request),
              "MPI_Irecv");
    requests.emplace_back(request);
  }
}

void Communicator::send(std::span<const std::byte> bytes, int to) const {
  for (std::size_t done = 0; done < bytes.size(); done += most_per_call) {
    const HeartbeatRecorder::Waiting waiting(*heartbeat_, Operation::send);
    const std::size_t count = std::min(most_per_call, bytes.size() - done);
    check_mpi(
        MPI_Send(bytes.data() + done, static_cast<int>(count), MPI_BYTE, to, text_tag, handle_),
        "MPI_Send");
  }
}

void Communicator::receive(std::span<std::byte> bytes, int from) const {
  for (std::size_t done = 0; done < bytes.size(); done += most_per_call) {
    const HeartbeatRecorder::Waiting waiting(*heartbeat_, Operation::receive);
    const std::size_t count = std::min(most_per_call, bytes.size() - done);
    check_mpi(MPI_Recv(bytes.data() + done, static_cast<int>(count), MPI_BYTE, from, text_tag,
                       handle_, MPI_STATUS_IGNORE),
              "MPI_Recv");
  }
}

// Point to point rather than MPI_Gatherv: its displacements are ints over the sum of all ranks.
std::vector<std::string> Communicator::gather(const std::string& text, int root) const {
  std::vector<std::string> texts;
  if (rank_ != root) {
    const std::uint64_t length = text.size();
    send(std::as_bytes(std::span(&length, 1)), root);
    send(std::as_bytes(std::span(text)), root);
    return texts;
  }
  texts.resize(static_cast<std::size_t>(size_));
  for (int source = 0; source < size_; ++source) {
    std::string& received = texts[static_cast<std::size_t>(source)];
    if (source == root) {
      received = text;
      continue;
    }
    std::uint64_t length = 0;
    receive(std::as_writable_bytes(std::span(&length, 1)), source);
    received.resize(length);
    receive(std::as_writable_bytes(std::span(received)), source);
  }
  return texts;
}

std::string Communicator::scatter(const std::vector<std::string>& texts, int root) const {
  std::uint64_t length = 0;
  if (rank_ != root) {
    receive(std::as_writable_bytes(std::span(&length, 1)), root);
    std::string text(length, '\0');
    receive(std::as_writable_bytes(std::span(text)), root);
    return text;
  }
  for (int rank = 0; rank < size_; ++rank) {
    if (rank != root) {
      const std::string& text = texts[static_cast<std::size_t>(rank)];
      length = text.size();
      send(std::as_bytes(std::span(&length, 1)), rank);
      send(std::as_bytes(std::span(text)), rank);
    }
  }
  return texts[static_cast<std::size_t>(root)];
}

void Communicator::gather_slices(std::span<const std::byte> own, std::size_t offset,
                                 std::span<std::byte> whole, int root) const {
  if (rank_ != root) {
    const std::uint64_t place[2] = {offset, own.size()};
    send(std::as_bytes(std::span(place)), root);
    send(own, root);
    return;
  }
  for (int source = 0; source < size_; ++source) {
    if (source == root) {
      std::copy(own.begin(), own.end(), whole.begin() + static_cast<std::ptrdiff_t>(offset));
      continue;
    }
    std::uint64_t place[2] = {};
    receive(std::as_writable_bytes(std::span(place)), source);
    receive(whole.subspan(place[0], place[1]), source);
  }
}

std::string host_name() {
  char name[MPI_MAX_PROCESSOR_NAME];
  int length = 0;
  check_mpi(MPI_Get_processor_name(name, &length), "MPI_Get_processor_name");
  return {name, static_cast<std::size_t>(length)};
}

MPI_Comm communicator_of_fortran(MPI_Fint handle) {
  int started = 0;
  check_mpi(MPI_Initialized(&started), "MPI_Initialized");
  const MPI_Comm communicator = started != 0 ? MPI_Comm_f2c(handle) : MPI_COMM_NULL;
  // Open MPI knows no such integer: a null pointer, which is not its MPI_COMM_NULL.
  return communicator == MPI_Comm{} ? MPI_COMM_NULL : communicator;
}

bool mpi_allows_threads() {
  int level = MPI_THREAD_SINGLE;
  check_mpi(MPI_Query_thread(&level), "MPI_Query_thread");
  return level >= MPI_THREAD_SERIALIZED;
}

std::string mpi_library() {
  char text[MPI_MAX_LIBRARY_VERSION_STRING];
  int length = 0;
  check_mpi(MPI_Get_library_version(text, &length), "MPI_Get_library_version");
  const std::string version(text, static_cast<std::size_t>(length));
  return version.substr(0, version.find_first_of(",\n"));  // how it was built follows
}

}  // namespace dnn
