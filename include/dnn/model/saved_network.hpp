#pragma once

#include "dnn/core/aligned_buffer.hpp"
#include "dnn/core/partition.hpp"
#include "dnn/data/gatherer.hpp"
#include "dnn/model/model_file.hpp"
#include "dnn/nn/network.hpp"

namespace dnn {

/// The network of a saved model, to score raw samples with.
template <class T>
class SavedNetwork {
 public:
  /// T is the model's precision. `max_rows`: the most samples at a time.
  SavedNetwork(const SavedModel& model, const Dataset& data, std::size_t max_rows);

  /// The logits of samples [samples.begin, samples.end) of the data; valid until the next call.
  MatrixView<const T> logits(Range samples);

 private:
  ParameterLayout layout_;
  AlignedBuffer<T> values_;
  Network<T> network_;
  Gatherer<T> gatherer_;
  AlignedBuffer<T> X_;
};

}  // namespace dnn
