#pragma once

// Samples of a host program as records of one form: what travels between ranks, and what a store
// holds.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "dnn/data/dataset.hpp"

namespace dnn {

/// What a record holds: the sample's id, features, then targets (double), class (8 bytes), weight
/// (double), as far as there are such.
struct RecordForm {
  std::size_t features = 0;
  bool wide = false;  ///< features are double, else float
  std::size_t targets = 0;
  bool has_class = false;
  bool has_weight = false;

  [[nodiscard]] static constexpr std::size_t features_at() { return sizeof(std::uint64_t); }
  [[nodiscard]] std::size_t element() const { return wide ? sizeof(double) : sizeof(float); }
  [[nodiscard]] std::size_t targets_at() const {
    return features_at() + (features * element() + 7) / 8 * 8;
  }
  [[nodiscard]] std::size_t class_at() const { return targets_at() + targets * sizeof(double); }
  [[nodiscard]] std::size_t weight_at() const { return class_at() + (has_class ? 8 : 0); }
  [[nodiscard]] std::size_t bytes() const { return weight_at() + (has_weight ? 8 : 0); }

  bool operator==(const RecordForm&) const = default;
};

/// Samples of one form that a rank has.
struct Records {
  RecordForm form;
  std::vector<std::byte> bytes;  ///< of each of them, form.bytes()

  [[nodiscard]] std::size_t size() const { return bytes.size() / form.bytes(); }
  [[nodiscard]] std::span<const std::byte> record(std::size_t i) const {
    return std::span(bytes).subspan(i * form.bytes(), form.bytes());
  }
  [[nodiscard]] std::uint64_t id(std::size_t i) const {
    std::uint64_t value = 0;
    std::memcpy(&value, bytes.data() + i * form.bytes(), sizeof(value));
    return value;
  }
  [[nodiscard]] std::vector<std::uint64_t> ids() const;
  void add(std::span<const std::byte> record) {
    bytes.insert(bytes.end(), record.begin(), record.end());
  }
};

/// The records as a data set of the outputs that `outputs` has (task, names, scale). Its features
/// are the records' own, which must outlive it.
[[nodiscard]] Dataset dataset_of(const Records& records, const Dataset& outputs);

/// The same outputs without any samples of features in this form.
[[nodiscard]] Dataset without_samples(const RecordForm& form, const Dataset& outputs);

}  // namespace dnn
