#pragma once

#include <cstddef>

namespace dnn {

/// to[i] += from[i] for i < count, in vector instructions. The two do not overlap.
void add(const float* from, float* to, std::size_t count);
void add(const double* from, double* to, std::size_t count);

}  // namespace dnn
