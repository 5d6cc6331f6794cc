#include "dnn/library/plain_arithmetic.hpp"

#include <omp.h>

#include <cstddef>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace dnn {

namespace {

bool is_plain() {
#if defined(__x86_64__)
  // Also sees what <cfenv> does not know: small numbers taken for 0.
  constexpr unsigned int flags = 0x3f;
  constexpr unsigned int by_default = 0x1f80;
  return (_mm_getcsr() & ~flags) == by_default;
#else
  return fegetexcept() == 0 && std::fegetround() == FE_TONEAREST;
#endif
}

/// Calls `visit(k)` on each thread k that helps the calling one.
template <class Visitor>
void on_helpers(std::size_t threads, Visitor&& visit) {
#pragma omp parallel num_threads(static_cast <int>(threads))
  {
    if (const int thread = omp_get_thread_num(); thread > 0) {
      visit(static_cast<std::size_t>(thread));
    }
  }
}

}  // namespace

PlainArithmetic::PlainArithmetic(int threads) {
  const bool was_plain = is_plain();
  std::fegetenv(&own_);
  std::fesetenv(FE_DFL_ENV);
  if (was_plain || threads < 2) {
    return;  // and so are its helpers, which have begun with what it had
  }
  helpers_.resize(static_cast<std::size_t>(threads));
  on_helpers(helpers_.size(), [this](std::size_t k) {
    std::fegetenv(&helpers_[k].emplace());
    std::fesetenv(FE_DFL_ENV);
  });
}

PlainArithmetic::~PlainArithmetic() {
  if (!helpers_.empty()) {
    on_helpers(helpers_.size(), [this](std::size_t k) {
      if (helpers_[k]) {
        std::fesetenv(&*helpers_[k]);
      }
    });
  }
  std::fesetenv(&own_);
}

}  // namespace dnn
