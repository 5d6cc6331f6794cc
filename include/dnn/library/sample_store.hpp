#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "dnn/comm/communicator.hpp"
#include "dnn/library/library_settings.hpp"
#include "dnn/library/records.hpp"

namespace dnn {

/// Samples that the steps of a simulation have given, at most so many on all ranks together.
///
/// Note [A store without ranks]
/// What the store holds, and what is drawn from it, must not depend on which rank gave a sample. So
/// each decision is an order of keys, and a key follows from the sample's id, the seed and the
/// update: of a `sample`, those stay whose keys are least (the bottom-k sample of all ids ever
/// given: each is as likely as every other); of the `newest`, those of the latest updates, within
/// an update by such keys. A batch is what has the least keys of the update. Each rank names its
/// candidates, and all choose the same ones from these. A sample is held by the rank that its id
/// hashes to, so that a second sample of an id meets the first, and the store's memory is spread
/// evenly.
class SampleStore {
 public:
  /// `capacity`: of all ranks together, at least 1.
  SampleStore(std::size_t capacity, StoreKeeps keeps, std::uint64_t seed);

  /// Collective over `world`: takes the samples that the ranks give at update `update`. Throws
  /// AgreedError where their form is another one than that of the samples before.
  void add(const Communicator& world, const Records& given, std::uint64_t update);

  /// Collective over `world`: those of this rank among the `count` samples that are drawn at
  /// `update`, or all where there are fewer.
  [[nodiscard]] Records draw(const Communicator& world, std::size_t count,
                             std::uint64_t update) const;

  /// This rank's samples, and the updates that gave them.
  struct Contents {
    Records records;
    std::vector<std::uint64_t> updates;
  };
  [[nodiscard]] Contents contents() const { return {held_, updates_}; }
  /// Collective over `world`: holds what the ranks give as `own`, each the samples whose home it
  /// is. They have the same form on all ranks, also on one that has none.
  void restore(const Communicator& world, const Contents& own);

  /// The rank of so many that holds the sample with this id.
  [[nodiscard]] static std::size_t home_of(std::uint64_t id, std::size_t ranks);

 private:
  /// A sample in an order: by `first`, then by `second`, then by id.
  struct Key {
    std::uint64_t first = 0;
    std::uint64_t second = 0;
    std::uint64_t id = 0;

    auto operator<=>(const Key&) const = default;
  };
  [[nodiscard]] Key keeping_key(std::size_t index) const;
  void put(std::span<const std::byte> record, std::uint64_t update);
  void remove(std::size_t index);
  /// Collective: the ids of the `count` least of all ranks' keys.
  [[nodiscard]] static std::vector<std::uint64_t> least(const Communicator& world,
                                                        std::vector<Key> own, std::size_t count);

  std::size_t capacity_;
  StoreKeeps keeps_;
  std::uint64_t seed_;
  std::size_t total_ = 0;
  Records held_;
  std::vector<std::uint64_t> updates_;  ///< that gave each of them
  std::unordered_map<std::uint64_t, std::size_t> index_of_;
};

}  // namespace dnn
