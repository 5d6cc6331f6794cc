#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "dnn/data/dataset.hpp"
#include "dnn/data/feature_rows.hpp"

namespace dnn {

/// Rows of a data set in a mapped file. Asks the system for the rows of the next batches,
/// many at a time and in the file's order, while others are computed with.
///
/// Note [Rows from a disk]
/// A row that is not in memory is read when it is touched, and the thread waits for the disk, once
/// for each row. A disk serves many requests at a time much faster than one after another. So the
/// rows of a window of batches are asked for together (MADV_WILLNEED), sorted by their place in the
/// file. Where what is looked at of a window is in memory already, nothing is asked for.
class PrefetchedRows : public RowSource {
 public:
  /// Appends the samples that batch `step` of the pass under way reads.
  using Plan = std::function<void(std::size_t step, std::vector<std::uint64_t>& samples)>;

  /// `data` must outlive this.
  explicit PrefetchedRows(const Dataset& data);

  /// Whether the features of `data` are in a mapped file.
  [[nodiscard]] static bool suits(const Dataset& data);

  /// Begins a pass of `steps` batches.
  void begin(Plan plan, std::size_t steps);

  [[nodiscard]] FeatureRows of_batch(std::size_t step, std::span<const std::uint64_t> samples,
                                     std::vector<std::uint64_t>& places) override;
  [[nodiscard]] FeatureRows of_whole_batch(std::size_t step, std::span<const std::uint64_t> samples,
                                           std::vector<std::uint64_t>& places) override;
  void stop() override {}

 private:
  static constexpr std::size_t window_bytes = std::size_t{4} << 20;

  void ask_for_more();
  [[nodiscard]] std::span<const std::byte> bytes_of(const Bytes& array, std::size_t size,
                                                    std::uint64_t sample) const;

  const Dataset& data_;
  /// Whether the system says which pages are in memory: only of files that this process may write.
  bool tells_presence_;
  Plan plan_;
  std::size_t steps_ = 0;
  std::size_t asked_ = 0;   ///< batches whose rows have been asked for
  std::size_t window_ = 0;  ///< the first of the last window
  std::vector<std::uint64_t> samples_;
};

}  // namespace dnn
