#pragma once

// The global order of samples that are distributed over the ranks.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "dnn/comm/communicator.hpp"
#include "dnn/core/partition.hpp"
#include "dnn/library/records.hpp"

namespace dnn {

/// The samples of all ranks in the order of their ids, and who has them. Every rank knows it all:
/// 16 bytes a sample.
class GlobalOrder {
 public:
  struct Place {
    std::uint64_t id = 0;
    std::uint32_t rank = 0;
    std::uint32_t index = 0;  ///< among the samples of that rank
  };

  /// Collective over `world`: of the samples with these ids on each rank, fewer than 2^32 a rank.
  /// Throws AgreedError for an id that two samples have, and where a rank has no memory for them.
  GlobalOrder(const Communicator& world, std::span<const std::uint64_t> ids);

  [[nodiscard]] std::size_t size() const { return places_.size(); }
  /// By position.
  [[nodiscard]] std::span<const Place> places() const { return places_; }

  /// Records of a rank, and in which order they count.
  struct Dealt {
    Records records;
    std::vector<std::uint64_t> order;
  };

  /// Collective over `world`: the samples at the positions `share(rank)` go from where they are to
  /// each rank; `dealt` becomes this rank's, and its memory is used again. The shares of all ranks
  /// are disjoint. Throws AgreedError where a rank's samples take 2 GiB or more.
  void deal(const Communicator& world, const Records& records,
            const std::function<Range(std::size_t rank)>& share, Dealt& dealt) const;

 private:
  std::vector<Place> places_;
};

/// Collective over `world`: everybody's `numbers`, any number of them from each rank, by rank. Of
/// more than `most_at_once` on a rank, one rank's after another's travel: their bytes would be more
/// than a count of MPI. Throws AgreedError where a rank has no memory for them.
[[nodiscard]] std::vector<std::vector<std::uint64_t>> all_gather_lists(
    const Communicator& world, std::span<const std::uint64_t> numbers,
    std::size_t most_at_once = (std::size_t{1} << 28) - 1);

/// Collective over `world`: of the bytes `out`, as many as `sends[r]` records of the form `form` go
/// to rank r, one rank's after the other's; `in` becomes what all ranks had for this one, in their
/// order.
void exchange_records(const Communicator& world, const std::vector<std::byte>& out,
                      const std::vector<std::uint64_t>& sends, Records& in);

}  // namespace dnn
