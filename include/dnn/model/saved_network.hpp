#pragma once

#include "dnn/core/aligned_buffer.hpp"
#include "dnn/core/partition.hpp"
#include "dnn/data/gatherer.hpp"
#include "dnn/data/sparse_batch.hpp"
#include "dnn/model/model_file.hpp"
#include "dnn/nn/network.hpp"

namespace dnn {

/// The network of a saved model, to score raw samples with. Data that keep their rows sparse are
/// computed with so if the model's normalizer leaves zeros as they are; the bits are the same.
template <class T>
class SavedNetwork {
 public:
  /// T is the model's precision. `max_rows`: the most samples at a time.
  SavedNetwork(const SavedModel& model, const Dataset& data, std::size_t max_rows);

  /// Goes over to other data of the same kind: another piece of the same table.
  void use(const Dataset& data);

  /// The logits of samples [samples.begin, samples.end) of the data; valid until the next call.
  MatrixView<const T> logits(Range samples);

 private:
  [[nodiscard]] Gatherer<T> gatherer_of(const Dataset& data) const;

  ParameterLayout layout_;
  AlignedBuffer<T> values_;
  TableSchema schema_;
  Normalizer normalizer_;
  Gatherer<T> gatherer_;
  bool is_sparse_;
  Network<T> network_;
  AlignedBuffer<T> X_;  ///< dense
  SparseBatch<T> sparse_;
};

}  // namespace dnn
