#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "dnn/comm/communicator.hpp"
#include "dnn/core/partition.hpp"
#include "dnn/dnn_train.hpp"
#include "dnn/library/records.hpp"

namespace dnn {

/// The samples that the ranks of a communicator give in a call, after all have been found usable
/// and of one form. The caller's memory must outlive this.
class GivenSamples {
 public:
  /// Collective over `world`. Samples without ids are numbered in the order of the ranks. Throws
  /// AgreedError where a rank gives what cannot be used (pointers that are null, numbers that are
  /// not finite, negative classes or weights), or where ranks give different forms.
  GivenSamples(const Communicator& world, const dnn_train::Samples& samples);

  [[nodiscard]] const RecordForm& form() const { return form_; }
  /// Whether the caller numbers them.
  [[nodiscard]] bool has_ids() const { return has_ids_; }
  /// Of all ranks; -1: there are no classes.
  [[nodiscard]] std::int64_t largest_class() const { return largest_class_; }
  /// Collective over `world`; all ranks give the same task. Throws AgreedError for a target that
  /// the task cannot have.
  void check_targets(const Communicator& world, Task task) const;
  /// Of all ranks, and of this one.
  [[nodiscard]] std::size_t total() const { return total_; }
  [[nodiscard]] std::size_t size() const { return samples_.features.rows; }
  [[nodiscard]] std::vector<std::uint64_t> ids() const;

  /// This rank's samples become `to`, whose memory is used again.
  void pack(Records& to) const;

  /// This rank's samples as a data set of the outputs that `outputs` has. Their features stay where
  /// they are if the features of a sample are contiguous; otherwise they are packed into `room`,
  /// which must outlive the data set.
  [[nodiscard]] Dataset dataset(const Dataset& outputs, Records& room) const;

 private:
  dnn_train::Samples samples_;
  RecordForm form_;
  std::size_t total_ = 0;
  std::uint64_t first_id_ = 0;  ///< where there are none
  std::int64_t largest_class_ = -1;
  bool has_ids_ = false;
};

/// Throws InputError unless `features` can be read: not null where it has rows, and finite.
void check_features(const dnn_train::Matrix& features);

/// Rows `rows` of `from` become `to`, one after another; R is its element type.
template <class R>
void copy_rows(const dnn_train::Matrix& from, Range rows, std::span<R> to);

}  // namespace dnn
