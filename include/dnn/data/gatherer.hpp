#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "dnn/core/matrix.hpp"
#include "dnn/data/dataset.hpp"
#include "dnn/data/feature_encoding.hpp"
#include "dnn/data/feature_rows.hpp"
#include "dnn/data/normalizer.hpp"

namespace dnn {

/// Turns samples of a data set into rows of network input: reads them in the type in which they
/// lie, encodes the columns of a table, normalizes, converts to T. Keeps references to nothing but
/// the data set's memory.
template <class T>
class Gatherer {
 public:
  /// Throws std::invalid_argument if the normalizer is for another number of features.
  Gatherer(const Dataset& data, const Normalizer& normalizer);

  /// The data set, but for the names of its classes and features.
  [[nodiscard]] const Dataset& data() const { return data_; }

  /// How a row of a table becomes inputs; of other data, it does nothing.
  [[nodiscard]] const FeatureEncoding& encoding() const { return encoding_; }
  /// Whether an input that sparse rows leave out is 0: nothing is subtracted from it.
  [[nodiscard]] bool keeps_zeros() const;
  /// What is subtracted from each input, and what it is multiplied by then, in double.
  [[nodiscard]] std::span<const double> center() const { return center_d_; }
  [[nodiscard]] std::span<const double> scale() const { return scale_d_; }
  /// The largest magnitude that an input keeps after that; 0: any.
  [[nodiscard]] double clip() const { return clip_; }

  /// Row i of `X` (samples.size() x features) becomes sample `samples[i]`, whose row is the i-th of
  /// `rows`.
  void gather(std::span<const std::uint64_t> samples, const FeatureRows& rows,
              MatrixView<T> X) const;
  /// The same of rows of the data set.
  void gather(std::span<const std::uint64_t> samples, MatrixView<T> X) const;

  /// `labels[i]` becomes the class of sample `samples[i]`.
  void gather_labels(std::span<const std::uint64_t> samples, std::span<std::int32_t> labels) const;

  /// Row i of `targets` (samples.size() x outputs) becomes what sample `samples[i]` is to give, as
  /// the network learns it: numbers are scaled.
  void gather_targets(std::span<const std::uint64_t> samples, MatrixView<double> targets) const;

  /// `weights[i]` becomes how much sample `samples[i]` counts.
  void gather_weights(std::span<const std::uint64_t> samples, std::span<double> weights) const;

 private:
  template <class Raw>
  void gather_dense(const FeatureRows& rows, MatrixView<T> X) const;
  template <class Raw>
  void gather_encoded(const FeatureRows& rows, MatrixView<T> X) const;
  template <class Raw>
  void gather_sparse(std::span<const std::uint64_t> samples, const FeatureRows& rows,
                     MatrixView<T> X) const;
  void clip_rows(MatrixView<T> X) const;

  Dataset data_;
  FeatureEncoding encoding_;
  // The normalizer in both widths: raw types that float cannot hold are normalized in double.
  std::vector<float> center_f_, scale_f_;
  std::vector<double> center_d_, scale_d_;
  double clip_ = 0;  ///< see Normalizer
};

}  // namespace dnn
