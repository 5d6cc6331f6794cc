#include "dnn/data/batch_targets.hpp"

#include <algorithm>

namespace dnn {

template <class T>
void BatchTargets::gather(const Gatherer<T>& gatherer, std::span<const std::uint64_t> samples) {
  const Dataset& data = gatherer.data();
  samples_ = samples.size();
  const bool has_rows = data.has_labels() && has_target_rows(data.task);
  labels_.resize(data.has_labels() && !has_rows ? samples.size() : 0);
  if (!labels_.empty()) {
    gatherer.gather_labels(samples, labels_);
  }
  // A gatherer's data set has no names to count the outputs by.
  const std::size_t outputs =
      data.target_rows.as<double>().size() / std::max<std::size_t>(data.samples, 1);
  rows_.resize(has_rows ? samples.size() * outputs : 0);
  if (!rows_.empty()) {
    gatherer.gather_targets(samples, {rows_.data(), samples.size(), outputs});
  }
  weights_.resize(data.has_weights() ? samples.size() : 0);
  if (!weights_.empty()) {
    gatherer.gather_weights(samples, weights_);
  }
}

Targets BatchTargets::view() const {
  if (rows_.empty()) {
    return Targets(labels_, weights_);
  }
  return Targets(MatrixView<const double>{rows_.data(), samples_, rows_.size() / samples_},
                 weights_);
}

template void BatchTargets::gather(const Gatherer<float>&, std::span<const std::uint64_t>);
template void BatchTargets::gather(const Gatherer<double>&, std::span<const std::uint64_t>);

}  // namespace dnn
