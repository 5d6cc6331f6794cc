#include "dnn/core/threads.hpp"

#include <omp.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace dnn {

/// Note [Threads that spin]
/// GCC's OpenMP lets a thread that waits spin for milliseconds before it sleeps. Where other
/// processes compute on the same cores, it spins away the time that the thread it waits for needs.
/// Two threads on two cores (AMD EPYC), each with a busy loop beside, default search on `wine`: 55
/// s with OpenMP's 300,000 spins, 37 to 41 s with 100,000, 7 to 11 s with 10,000, 3.9 s with 3,000,
/// 2.7 to 3.0 s with 1,000, 2.2 s with one thread; three epochs of UCI's letters: 18, 8,
/// 5, 3.5, 2.4 and 2.2 s. Where the cores are free, 3,000 cost nothing; 1,000 and 2,000 cost up to
/// a tenth (2.09, 2.34 and 2.34 s on `digits`).
constexpr const char* spins = "3000";

void set_threads(int threads) {
  omp_set_num_threads(std::max(1, threads));
}

int threads() {
  return omp_get_max_threads();
}

void limit_spinning(char* const* argv) {
  const bool is_set =
      std::getenv("OMP_WAIT_POLICY") != nullptr || std::getenv("GOMP_SPINCOUNT") != nullptr;
  if (is_set || omp_get_num_procs() == 1) {
    return;
  }
  std::error_code error;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
  // Where a loader was started with the program's name, it is the loader's.
  const bool is_this = !error && program.filename() == std::filesystem::path(*argv).filename();
  if (is_this && ::setenv("GOMP_SPINCOUNT", spins, 0) == 0) {
    ::execv(program.c_str(), argv);  // returns where that fails; then threads spin for longer
  }
}

void detail::run_in_threads(std::size_t count, std::size_t grain, void (*part)(void*, Range),
                            void* work) {
  const std::size_t grains = (count + grain - 1) / grain;
  [[maybe_unused]] const int used =  // by the directive alone, which clang-tidy does not see
      static_cast<int>(std::min(grains, static_cast<std::size_t>(threads())));
#pragma omp parallel num_threads(used)
  {
    const Range mine = part_in_grains(count, grain, static_cast<std::size_t>(omp_get_num_threads()),
                                      static_cast<std::size_t>(omp_get_thread_num()));
    if (!mine.empty()) {
      part(work, mine);
    }
  }
}

}  // namespace dnn
