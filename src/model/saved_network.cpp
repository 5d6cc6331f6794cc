#include "dnn/model/saved_network.hpp"

#include <numeric>
#include <vector>

namespace dnn {

template <class T>
SavedNetwork<T>::SavedNetwork(const SavedModel& model, const Dataset& data, std::size_t max_rows)
    : layout_({model.description.widths.begin(), model.description.widths.end()}),
      values_(layout_.size()),
      schema_(model.description.schema),
      normalizer_(model.description.normalizer),
      gatherer_(gatherer_of(data)),
      is_sparse_(keeps_rows_sparse(data) && gatherer_.keeps_zeros()),
      network_(layout_, values_.span(), {}, {.max_batch = max_rows, .sparse_input = is_sparse_}),
      X_(is_sparse_ ? 0 : max_rows * data.features) {
  model.copy_to(layout_, values_.span());
}

/// Encodes the data as the model's training table was: an ensemble's models may fill in different
/// medians.
template <class T>
Gatherer<T> SavedNetwork<T>::gatherer_of(const Dataset& data) const {
  Dataset own = data;
  if (!data.schema.empty()) {
    own.schema = schema_;
  }
  return {own, normalizer_};
}

template <class T>
void SavedNetwork<T>::use(const Dataset& data) {
  gatherer_ = gatherer_of(data);
}

template <class T>
MatrixView<const T> SavedNetwork<T>::logits(Range samples) {
  std::vector<std::uint64_t> indices(samples.size());
  std::iota(indices.begin(), indices.end(), samples.begin);
  if (is_sparse_) {
    sparse_.gather(gatherer_, indices, {0, gatherer_.data().features});
    return network_.forward(sparse_.rows());
  }
  const MatrixView<T> X{X_.data(), samples.size(), gatherer_.data().features};
  gatherer_.gather(indices, X);
  return network_.forward(X);
}

template class SavedNetwork<float>;
template class SavedNetwork<double>;

}  // namespace dnn
