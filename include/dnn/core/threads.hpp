#pragma once

#include <algorithm>
#include <cstddef>
#include <exception>
#include <mutex>
#include <type_traits>
#include <utility>

#include "dnn/core/partition.hpp"

namespace dnn {

/// How many threads the calling thread computes with from now on (>= 1), in the matrix products
/// (oneDNN, OpenBLAS) and in parallel_for. OpenMP's setting, which belongs to the thread that
/// calls.
void set_threads(int threads);

/// How many there are.
[[nodiscard]] int threads();

/// Makes threads that wait for others sleep after a fraction of a millisecond, see Note [Threads
/// that spin]. For the begin of main(): OpenMP's library reads its settings when it is loaded, so
/// the process starts its program again, once, with the same arguments. Returns where that is of no
/// use (one core, or the user has set OMP_WAIT_POLICY or GOMP_SPINCOUNT) or not possible.
void limit_spinning(char* const* argv);

/// The calling thread computes with one thread for as long as this lives.
class OneThread {
 public:
  OneThread() : before_(threads()) { set_threads(1); }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;
  ~OneThread() { set_threads(before_); }

 private:
  int before_;
};

namespace detail {
void run_in_threads(std::size_t count, std::size_t grain, void (*part)(void*, Range), void* work);
}  // namespace detail

/// How many elements of a pass over memory make a thread of its own worth while.
inline constexpr std::size_t parallel_grain = std::size_t{1} << 16;

/// Calls `work(range)` for ranges that together are [0, count), each but the last a multiple of
/// `grain` long, in as many threads as there are; at once where one thread would do. `work` must
/// not throw.
template <class Work>
void parallel_for(std::size_t count, std::size_t grain, Work&& work) {
  if (threads() == 1 || count <= grain) {
    work(Range{0, count});
    return;
  }
  detail::run_in_threads(
      count, grain,
      [](void* erased, Range range) {
        (*static_cast<std::remove_reference_t<Work>*>(erased))(range);
      },
      &work);
}

/// parallel_for over the rows of a matrix of `cols` columns, for a pass over its elements.
template <class Work>
void parallel_for_rows(std::size_t rows, std::size_t cols, Work&& work) {
  parallel_for(rows, std::max<std::size_t>(1, parallel_grain / std::max<std::size_t>(cols, 1)),
               std::forward<Work>(work));
}

/// Calls `work(i, lane)` for every i < count, in as many threads as there are, each of which
/// computes alone (OneThread), also where there is but one. `lane` is less than threads(); no two
/// calls at a time have the same. What `work` throws comes out here.
template <class Work>
void parallel_tasks(std::size_t count, Work&& work) {
  const std::size_t lanes = std::min(count, static_cast<std::size_t>(threads()));
  std::exception_ptr error;
  std::mutex mutex;
  parallel_for(lanes, 1, [&](Range mine) {
    try {
      const OneThread alone;
      for (std::size_t lane = mine.begin; lane < mine.end; ++lane) {
        const Range tasks = part_of(count, lanes, lane);
        for (std::size_t i = tasks.begin; i < tasks.end; ++i) {
          work(i, lane);
        }
      }
    } catch (...) {
      const std::lock_guard lock(mutex);
      error = std::current_exception();
    }
  });
  if (error) {
    std::rethrow_exception(error);
  }
}

}  // namespace dnn
