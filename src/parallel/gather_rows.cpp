#include "dnn/parallel/gather_rows.hpp"

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <vector>

#include "dnn/core/partition.hpp"

namespace dnn {

template <class T>
void gather_rows(const Communicator& ranks, MatrixView<const T> own, MatrixView<T> all,
                 std::size_t logical_shards) {
  const auto count = static_cast<std::size_t>(ranks.size());
  const auto me = static_cast<std::size_t>(ranks.rank());
  const Range mine = share_of(all.rows, logical_shards, count, me);
  if (mine.size() != own.rows || own.cols != all.cols) {
    throw std::invalid_argument("gather_rows: a rank has other samples than its share");
  }
  std::copy_n(own.data, own.size(), all.data + mine.begin * all.cols);
  if (count == 1) {
    return;
  }
  if (all.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
    for (std::size_t rank = 0; rank < count; ++rank) {
      const MatrixView<T> part = all.part(share_of(all.rows, logical_shards, count, rank));
      ranks.broadcast(std::as_writable_bytes(std::span(part.data, part.size())),
                      static_cast<int>(rank));
    }
    return;
  }
  std::vector<int> counts;
  std::vector<int> offsets;
  for (std::size_t rank = 0; rank < count; ++rank) {
    const Range share = share_of(all.rows, logical_shards, count, rank);
    counts.push_back(static_cast<int>(share.size() * all.cols));
    offsets.push_back(static_cast<int>(share.begin * all.cols));
  }
  ranks.begin_all_gather(all.data, counts, offsets).wait();
}

template void gather_rows(const Communicator&, MatrixView<const float>, MatrixView<float>,
                          std::size_t);
template void gather_rows(const Communicator&, MatrixView<const double>, MatrixView<double>,
                          std::size_t);

}  // namespace dnn
