#include "dnn/parallel/ensemble_exchange.hpp"

#include <algorithm>

namespace dnn {

template <class T>
EnsembleExchange<T>::EnsembleExchange(const Communicator& world, std::size_t models,
                                      std::size_t classes, std::size_t max_rows)
    : layout_{static_cast<std::size_t>(world.size()), models},
      shard_(layout_.shard_of(static_cast<std::size_t>(world.rank()))),
      models_(layout_.models_of(static_cast<std::size_t>(world.rank()))),
      classes_(classes),
      ranks_(world.split(static_cast<int>(shard_))),
      sent_(models_.size() * max_rows * classes),
      received_(models * rows_of(max_rows, 0).size() * classes) {}

template <class T>
Range EnsembleExchange<T>::rows_of(std::size_t rows, std::size_t member) const {
  return part_of(rows, static_cast<std::size_t>(ranks_.size()), member);
}

template <class T>
template <class U>
void EnsembleExchange<T>::put(std::size_t model, MatrixView<const U> logits,
                              std::span<const std::int32_t> classes) {
  for (std::size_t member = 0; member < static_cast<std::size_t>(ranks_.size()); ++member) {
    const Range rows = rows_of(logits.rows, member);
    T* to = sent_.data() +
            (models_.size() * rows.begin + (model - models_.begin) * rows.size()) * classes_;
    for (std::size_t s = rows.begin; s < rows.end; ++s, to += classes_) {
      const std::span<const U> row = logits.row(s);
      if (classes.empty()) {
        std::transform(row.begin(), row.end(), to, [](U a) { return static_cast<T>(a); });
      } else {
        std::transform(classes.begin(), classes.end(), to, [row](std::int32_t j) {
          return static_cast<T>(row[static_cast<std::size_t>(j)]);
        });
      }
    }
  }
}

template <class T>
Range EnsembleExchange<T>::exchange(std::size_t rows) {
  const auto members = static_cast<std::size_t>(ranks_.size());
  mine_ = rows_of(rows, static_cast<std::size_t>(ranks_.rank()));
  std::vector<std::size_t> sent;
  std::vector<std::size_t> received;
  for (std::size_t member = 0; member < members; ++member) {
    sent.push_back(models_.size() * rows_of(rows, member).size() * classes_);
    received.push_back(layout_.models_of(member, members).size() * mine_.size() * classes_);
  }
  ranks_.all_to_all(std::span<const T>(sent_.span()), sent, received_.span(), received);
  return mine_;
}

template <class T>
std::vector<std::span<const T>> EnsembleExchange<T>::logits(std::size_t row) const {
  std::vector<std::span<const T>> vectors;
  for (std::size_t model = 0; model < layout_.models; ++model) {
    const std::size_t at = model * mine_.size() + row - mine_.begin;
    vectors.emplace_back(received_.data() + at * classes_, classes_);
  }
  return vectors;
}

template class EnsembleExchange<float>;
template class EnsembleExchange<double>;
template void EnsembleExchange<float>::put(std::size_t, MatrixView<const float>,
                                           std::span<const std::int32_t>);
template void EnsembleExchange<double>::put(std::size_t, MatrixView<const float>,
                                            std::span<const std::int32_t>);
template void EnsembleExchange<double>::put(std::size_t, MatrixView<const double>,
                                            std::span<const std::int32_t>);

}  // namespace dnn
