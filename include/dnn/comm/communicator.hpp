#pragma once

// MPI communicators, with every call that the project uses.

#include <mpi.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "dnn/comm/heartbeat.hpp"
#include "dnn/comm/request.hpp"
#include "dnn/core/exact_sum.hpp"

namespace dnn {

/// How the elements of all ranks become one.
enum class Reduction { sum, min, max, bit_or };

/// A group of ranks that exchange messages among themselves only. Owns its MPI handle; move-only.
/// Every failing call throws MpiError. Element counts beyond 2^31 work: they travel in pieces.
class Communicator {
 public:
  /// The most elements given to one MPI call, whose counts are of type int.
  static constexpr std::size_t most_per_call = std::size_t{1} << 30;

  /// Collective over `parent`: its ranks in a communicator of their own.
  [[nodiscard]] static Communicator duplicate(MPI_Comm parent);

  /// Collective over `parent`: the same of a communicator that another program gives. Throws
  /// InputError, on the rank alone, for what is none: MPI does not run, or `parent` is null or an
  /// intercommunicator.
  [[nodiscard]] static Communicator duplicate_given(MPI_Comm parent);

  Communicator(Communicator&& other) noexcept;
  Communicator& operator=(Communicator&& other) noexcept;
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;
  /// Releases the handle; all ranks have finished their operations on it by then.
  ~Communicator();

  [[nodiscard]] int rank() const { return rank_; }
  [[nodiscard]] int size() const { return size_; }
  /// This rank's number in the communicator that this one was split from, and that one, to the
  /// first.
  [[nodiscard]] int job_rank() const { return job_rank_; }
  [[nodiscard]] bool is_root() const { return rank_ == 0; }
  [[nodiscard]] MPI_Comm handle() const { return handle_; }
  /// Where this rank notes down what it does; blocking operations do it by themselves.
  [[nodiscard]] HeartbeatRecorder& heartbeat() const { return *heartbeat_; }

  /// Collective: the ranks that can share memory with this one.
  [[nodiscard]] Communicator split_by_node() const;

  /// Collective: the ranks that give the same `color` (0 or more), in the order they have here.
  [[nodiscard]] Communicator split(int color) const { return split(color, rank_); }
  /// Collective: the same, in the order of `key` instead.
  [[nodiscard]] Communicator split(int color, int key) const;

  /// Collective: returns once every rank has called it.
  void barrier() const;
  /// The same for a long wait: this rank sleeps meanwhile and leaves its cores to others.
  void sleeping_barrier() const;

  /// Lets MPI move on whatever this process has under way, of any communicator: a collective that
  /// has returned may still hold data that others wait for.
  void progress() const;

  /// Collective: element-wise reduction over all ranks, in place. All ranks give equally many
  /// elements. Instantiated for float, double, std::int64_t, std::uint64_t (bit_or: for the last).
  template <class T>
  void all_reduce(std::span<T> values, Reduction reduction) const;

  /// Collective: begins such a reduction; `values` (fewer than 2^31) must be left alone until the
  /// request is done. All ranks begin theirs in the same order.
  template <class T>
  [[nodiscard]] Request begin_all_reduce(std::span<T> values, Reduction reduction) const;

  /// Collective: block i of `to` becomes what rank i has as the block of `from` that is this
  /// rank's. Both hold size() blocks of equally many bytes (fewer than 2^31 each).
  void all_to_all(std::span<const std::byte> from, std::span<std::byte> to) const;

  /// Collective: blocks of any sizes, one a rank, one after another: `from` holds `from_sizes[i]`
  /// elements for rank i, and `to` receives `to_sizes[i]` of rank i's. Throws std::length_error
  /// where either holds 2^31 elements or more. Instantiated for float, double and std::byte.
  template <class T>
  void all_to_all(std::span<const T> from, std::span<const std::size_t> from_sizes, std::span<T> to,
                  std::span<const std::size_t> to_sizes) const;

  /// Collective: begins such an exchange of blocks that lie anywhere, in elements from `from` and
  /// `to` on. All that is given, the counts and offsets too, must be left alone until the request
  /// is done. Instantiated for float and double.
  template <class T>
  [[nodiscard]] Request begin_all_to_all(const T* from, const std::vector<int>& from_counts,
                                         const std::vector<int>& from_offsets, T* to,
                                         const std::vector<int>& to_counts,
                                         const std::vector<int>& to_offsets) const;

  /// Collective: begins to give each rank's block of `values` to all; block i is rank i's. The same
  /// holds as for begin_all_to_all.
  template <class T>
  [[nodiscard]] Request begin_all_gather(T* values, const std::vector<int>& counts,
                                         const std::vector<int>& offsets) const;

  /// Begins to send `bytes`, any number of them, to rank `to`, which begins to receive as many from
  /// this one; what is sent first arrives first. `requests` takes what has to be waited for. They
  /// travel in messages of at most `piece` bytes, the same on both ranks.
  void begin_send(std::span<const std::byte> bytes, int to, std::vector<Request>& requests,
                  std::size_t piece = most_per_call) const;
  void begin_receive(std::span<std::byte> bytes, int from, std::vector<Request>& requests,
                     std::size_t piece = most_per_call) const;

  /// Collective: block i of `to` becomes rank i's `from`; all ranks give equally many bytes (fewer
  /// than 2^31).
  void all_gather(std::span<const std::byte> from, std::span<std::byte> to) const;

  /// Collective: the reduction of one value of every rank.
  template <class T>
  [[nodiscard]] T all_reduce(T value, Reduction reduction) const {
    all_reduce(std::span<T>(&value, 1), reduction);
    return value;
  }

  /// Collective: the exact sum of all ranks' sums, the same bits on every rank however MPI adds.
  [[nodiscard]] ExactSum sum(ExactSum mine) const {
    mine.combine([this](std::span<std::int64_t> words) { all_reduce(words, Reduction::sum); });
    return mine;
  }

  /// Collective: every rank gets `root`'s bytes; all ranks give equally many.
  void broadcast(std::span<std::byte> bytes, int root) const;

  /// Collective: `root`'s text on every rank; the other ranks' argument is not used.
  [[nodiscard]] std::string broadcast(std::string text, int root) const;

  /// Collective: on `root`, the text of every rank in rank order; elsewhere an empty vector.
  [[nodiscard]] std::vector<std::string> gather(const std::string& text, int root) const;

  /// Collective: the text of `root`'s `texts` that is this rank's (one a rank, in rank order); the
  /// other ranks' argument is not used.
  [[nodiscard]] std::string scatter(const std::vector<std::string>& texts, int root) const;

  /// Collective: `root`'s `whole` receives the bytes `own` of every rank (0 or more), each at the
  /// offset that its rank gives; the other ranks' `whole` is not used.
  void gather_slices(std::span<const std::byte> own, std::size_t offset, std::span<std::byte> whole,
                     int root) const;

 private:
  void send(std::span<const std::byte> bytes, int to) const;
  void receive(std::span<std::byte> bytes, int from) const;
  /// `parent`: null for the first of a job.
  Communicator(MPI_Comm owned, std::shared_ptr<HeartbeatRecorder> heartbeat,
               const Communicator* parent);
  void release() noexcept;

  MPI_Comm handle_ = MPI_COMM_NULL;
  int rank_ = 0;
  int size_ = 0;
  int job_rank_ = 0;
  std::shared_ptr<HeartbeatRecorder> heartbeat_;
};

/// The name of this rank's host.
[[nodiscard]] std::string host_name();

/// The communicator that Fortran's integer handle stands for; MPI_COMM_NULL before MPI_Init.
[[nodiscard]] MPI_Comm communicator_of_fortran(MPI_Fint handle);

/// Whether threads other than the one that started MPI may call it, one at a time.
[[nodiscard]] bool mpi_allows_threads();

/// The name and version of the MPI library.
[[nodiscard]] std::string mpi_library();

}  // namespace dnn
