#include "dnn/core/threads.hpp"

#include <omp.h>

#include <algorithm>

namespace dnn {

void set_threads(int threads) {
  omp_set_num_threads(std::max(1, threads));
}

int threads() {
  return omp_get_max_threads();
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
