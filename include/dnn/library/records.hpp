#pragma once

// Samples of a host program as records of one form: what travels between ranks, and what a store
// holds.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "dnn/comm/communicator.hpp"
#include "dnn/core/partition.hpp"
#include "dnn/data/dataset.hpp"
#include "dnn/dnn_train.hpp"

namespace dnn {

/// What a record holds: features, then targets (double), class (8 bytes), weight (double), as far
/// as there are such.
struct RecordForm {
  std::size_t features = 0;
  bool wide = false;  ///< features are double, else float
  std::size_t targets = 0;
  bool has_class = false;
  bool has_weight = false;

  [[nodiscard]] std::size_t features_bytes() const {
    return (features * (wide ? sizeof(double) : sizeof(float)) + 7) / 8 * 8;
  }
  [[nodiscard]] std::size_t targets_at() const { return features_bytes(); }
  [[nodiscard]] std::size_t class_at() const { return targets_at() + targets * sizeof(double); }
  [[nodiscard]] std::size_t weight_at() const { return class_at() + (has_class ? 8 : 0); }
  [[nodiscard]] std::size_t bytes() const { return weight_at() + (has_weight ? 8 : 0); }

  bool operator==(const RecordForm&) const = default;
};

/// Samples of one form that a rank has.
struct Records {
  RecordForm form;
  std::vector<std::uint64_t> ids;
  std::vector<std::byte> bytes;  ///< of each of them, form.bytes()

  [[nodiscard]] std::size_t size() const { return ids.size(); }
  [[nodiscard]] std::span<const std::byte> record(std::size_t i) const {
    return std::span(bytes).subspan(i * form.bytes(), form.bytes());
  }
  void add(std::uint64_t id, std::span<const std::byte> record);
};

/// Collective over `world`: what the ranks give, in one form. Samples without ids are numbered in
/// the order of the ranks. Throws AgreedError where a rank gives what cannot be used (pointers that
/// are null, numbers that are not finite, negative classes or weights), or where ranks give
/// different forms.
[[nodiscard]] Records take_samples(const Communicator& world, const dnn_train::Samples& samples);

/// Throws InputError unless `features` can be read: not null where it has rows, and finite.
void check_features(const dnn_train::Matrix& features);

/// Rows `rows` of `from` become `to`, one after another; R is its element type.
template <class R>
void copy_rows(const dnn_train::Matrix& from, Range rows, std::span<R> to);

/// The samples as a data set of the outputs that `outputs` has (task, names, scale).
[[nodiscard]] Dataset dataset_of(const Records& records, const Dataset& outputs);

}  // namespace dnn
