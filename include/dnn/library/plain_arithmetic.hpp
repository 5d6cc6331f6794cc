#pragma once

#include <cfenv>
#include <optional>
#include <vector>

namespace dnn {

/// While it lives, the calling thread and the OpenMP threads that help it compute as those of the
/// programs do: they round to nearest, keep small numbers, and no operation traps. A host may have
/// set something else (gfortran's -ffpe-trap, -ffast-math), with which it would be ended by a
/// division by 0 that is meant, or train another model. Afterwards all is as before, the flags of
/// exceptions too.
class PlainArithmetic {
 public:
  /// `threads`: that parallel regions use meanwhile.
  explicit PlainArithmetic(int threads);
  PlainArithmetic(const PlainArithmetic&) = delete;
  PlainArithmetic& operator=(const PlainArithmetic&) = delete;
  ~PlainArithmetic();

 private:
  std::fenv_t own_{};
  /// By OpenMP's number of the thread; [0] is unused, and so are threads that OpenMP did not give.
  std::vector<std::optional<std::fenv_t>> helpers_;
};

}  // namespace dnn
