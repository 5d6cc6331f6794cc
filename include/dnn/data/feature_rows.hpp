#pragma once

// Where the features of samples are in memory.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "dnn/data/dataset.hpp"

namespace dnn {

/// The features of some samples: rows of their data set, or of a copy of some of its rows.
struct FeatureRows {
  const std::byte* values = nullptr;       ///< as Dataset::values
  const std::uint32_t* columns = nullptr;  ///< sparse: as Dataset::value_columns
  /// Of each sample. Dense: the number of its row in `values`. Sparse: that of its first value.
  std::span<const std::uint64_t> places;

  [[nodiscard]] FeatureRows part(std::size_t first, std::size_t count) const {
    return {values, columns, places.subspan(first, count)};
  }
};

/// The places of the rows of `samples` in `data`, which holds them all. `places` keeps what the
/// result refers to, as `samples` does.
[[nodiscard]] FeatureRows rows_of(const Dataset& data, std::span<const std::uint64_t> samples,
                                  std::vector<std::uint64_t>& places);

/// Brings the rows of batches into memory, or waits until another thread has brought them.
///
/// Note [Where samples are stored]
/// A batch is gathered by the same code wherever its samples are: in this node's copy of the data,
/// in a file that is mapped, or in a copy of those rows that other nodes have sent. What differs is
/// the table of places, which a source makes.
class RowSource {
 public:
  RowSource() = default;
  RowSource(const RowSource&) = delete;
  RowSource& operator=(const RowSource&) = delete;
  virtual ~RowSource() = default;

  /// The rows of this rank's part of batch `step` of a pass, which are those of `samples`; they
  /// stay until the next batch but one is asked for. `places` as in rows_of. Called by the thread
  /// that loads batches, for one step after another.
  [[nodiscard]] virtual FeatureRows of_batch(std::size_t step,
                                             std::span<const std::uint64_t> samples,
                                             std::vector<std::uint64_t>& places) = 0;

  /// The same for the samples of all ranks.
  [[nodiscard]] virtual FeatureRows of_whole_batch(std::size_t step,
                                                   std::span<const std::uint64_t> samples,
                                                   std::vector<std::uint64_t>& places) = 0;

  /// Called by another thread: a thread that waits for rows gets std::runtime_error, until the
  /// next pass.
  virtual void stop() = 0;
};

}  // namespace dnn
