#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "dnn/comm/shared_mapping.hpp"
#include "dnn/core/partition.hpp"
#include "dnn/store/held_rows.hpp"

namespace dnn {

/// The samples that a node holds and other nodes need in a pass, in the order of the pass, in
/// memory that the ranks of the node share. Each rank enters those of its part of the samples held.
class LeavingIndex {
 public:
  /// A sample, and where it is in the batches of the pass.
  class Entry {
   public:
    Entry(std::uint64_t position, std::uint64_t sample, std::size_t shard)
        : position_(position), packed_(sample << shard_bits | shard) {}
    [[nodiscard]] std::uint64_t position() const { return position_; }
    [[nodiscard]] std::uint64_t sample() const { return packed_ >> shard_bits; }
    /// The data shard whose batch has it.
    [[nodiscard]] std::size_t shard() const {
      return packed_ & ((std::uint64_t{1} << shard_bits) - 1);
    }
    [[nodiscard]] bool operator<(const Entry& other) const { return position_ < other.position_; }

   private:
    static constexpr int shard_bits = 24;  // a Permutation has at most 2^40 samples
    std::uint64_t position_;
    std::uint64_t packed_;
  };

  /// Memory of the index of a node that holds so many samples.
  [[nodiscard]] static constexpr std::size_t bytes(std::size_t samples) {
    return samples * sizeof(Entry);
  }

  /// Collective over the node. `held` must outlive this.
  explicit LeavingIndex(const HeldRows& held);

  /// The samples that this rank enters, and room for an entry of each. No rank of the node may read
  /// the index meanwhile.
  [[nodiscard]] Range own_samples() const;
  [[nodiscard]] std::span<Entry> own_entries();

  /// Collective over the node: the first `count` of own_entries() are entered, in any order.
  void enter(std::size_t count);

  /// The samples at positions [begin, end), in their order.
  [[nodiscard]] std::vector<Entry> between(std::uint64_t begin, std::uint64_t end) const;

 private:
  /// The entries that a rank of the node has room for.
  [[nodiscard]] Range part_of_rank(std::size_t rank) const;

  const HeldRows& held_;
  Range samples_;  ///< that the node holds
  std::size_t ranks_;
  std::size_t rank_;
  SharedMapping memory_;
  std::span<std::uint64_t> counts_;  ///< of each rank: what it has entered
  std::span<Entry> entries_;
};

}  // namespace dnn
