#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "dnn/comm/communicator.hpp"
#include "dnn/core/matrix.hpp"
#include "dnn/core/partition.hpp"

namespace dnn {

/// Collective over `group`, whose ranks hold the logits A (S x slice) of slices of the classes for
/// the same samples: the `count` classes of each sample with the largest logits, the largest first,
/// of equals the first. `top`: S x count; -1 where there are fewer classes. Each rank sends its own
/// `count` candidates of each sample and no other logit. NaN counts as -inf. `group` null: this
/// rank has all classes.
template <class T>
void top_classes(const Communicator* group, Range slice, MatrixView<const T> A, std::size_t count,
                 std::span<std::int32_t> top);

}  // namespace dnn
