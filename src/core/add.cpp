#include "dnn/core/add.hpp"

#include "dnn/core/simd.hpp"

namespace dnn {

namespace {

template <class T>
DNN_SIMD_BODY void add_loop(const T* __restrict from, T* __restrict to, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    to[i] += from[i];
  }
}

}  // namespace

DNN_SIMD void add(const float* from, float* to, std::size_t count) {
  add_loop(from, to, count);
}
DNN_SIMD void add(const double* from, double* to, std::size_t count) {
  add_loop(from, to, count);
}

}  // namespace dnn
