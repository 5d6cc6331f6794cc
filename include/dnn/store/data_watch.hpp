#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "dnn/comm/communicator.hpp"
#include "dnn/data/dataset.hpp"

namespace dnn {

/// Looks now and then whether a node's copy of a data set is still what it was: its bytes are cut
/// into pieces of 4 MiB, whose bit_sum is kept, and the ranks of the node look at some of their
/// share of the pieces each time, one after another.
///
/// Note [Looking at a mapped file]
/// Batches read a mapped file at random, and so the system reads it page by page. A piece is
/// requested as a whole before it is summed. If it was not in memory before, its pages are released
/// afterwards, and do not displace the rows that batches read.
class DataWatch {
 public:
  /// The pieces that a rank looks at each time.
  static constexpr std::size_t pieces_at_a_time = 8;

  /// `ranks`: those that have this copy; `data` must outlive the watch. Reads all of the data.
  DataWatch(const Communicator& ranks, const Dataset& data);

  /// Looks at the next pieces of this rank. Returns what is damaged, as "features, bytes 0 to
  /// 4194303"; empty: nothing of these is.
  [[nodiscard]] std::string look();

 private:
  struct Piece {
    const char* field;
    std::size_t begin;
    std::span<const std::byte> bytes;
    bool is_mapped;
    std::uint64_t sum;
  };
  [[nodiscard]] std::uint64_t sum_of(std::size_t number) const;

  std::vector<Piece> pieces_;  ///< this rank's
  std::size_t next_ = 0;
};

}  // namespace dnn
