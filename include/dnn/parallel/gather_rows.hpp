#pragma once

#include <cstddef>

#include "dnn/comm/communicator.hpp"
#include "dnn/core/matrix.hpp"

namespace dnn {

/// Collective over `ranks`: `all` (a row for each sample of a batch) becomes, on all ranks, what
/// each has of its samples (see share_of): this one `own`. `logical_shards`: the parts of a batch;
/// 0: one for each rank. Throws std::invalid_argument where `own` is not this rank's share.
template <class T>
void gather_rows(const Communicator& ranks, MatrixView<const T> own, MatrixView<T> all,
                 std::size_t logical_shards);

}  // namespace dnn
