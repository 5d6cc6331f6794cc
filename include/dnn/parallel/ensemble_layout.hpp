#pragma once

#include <algorithm>
#include <cstddef>

#include "dnn/core/partition.hpp"

namespace dnn {

/// Which rank holds which of an ensemble's models: a grid of data shards x models.
///
/// P ranks and K models make max(1, P / K) data shards of consecutive ranks, as equal as they can
/// be, each of which holds all models once and scores samples of its own. With P < K a rank holds
/// several models, consecutive ones. Where P is no multiple of K some ranks hold none: the shards
/// would not get faster by holding a few of the models twice; such ranks average and write only.
struct EnsembleLayout {
  std::size_t ranks = 1;   ///< P
  std::size_t models = 1;  ///< K

  [[nodiscard]] std::size_t shards() const { return std::max<std::size_t>(1, ranks / models); }
  /// The ranks of a data shard.
  [[nodiscard]] Range ranks_of(std::size_t shard) const { return part_of(ranks, shards(), shard); }
  /// The data shard that a rank belongs to.
  [[nodiscard]] std::size_t shard_of(std::size_t rank) const {
    std::size_t shard = 0;
    while (ranks_of(shard).end <= rank) {
      ++shard;
    }
    return shard;
  }
  /// The models of the `member`-th rank of a data shard with `members` ranks.
  [[nodiscard]] Range models_of(std::size_t member, std::size_t members) const {
    return part_of(models, members, member);
  }
  /// The models that a rank holds.
  [[nodiscard]] Range models_of(std::size_t rank) const {
    const Range shard = ranks_of(shard_of(rank));
    return models_of(rank - shard.begin, shard.size());
  }
};

}  // namespace dnn
