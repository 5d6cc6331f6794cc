#include "dnn/train/gradient_check.hpp"

#include <numeric>
#include <span>

#include "dnn/train/replica_check.hpp"

namespace dnn {

template <class T>
GradientCheck<T>::GradientCheck(const RankGrid& grid, const TrainingData& data,
                                TrainingStep<T>& step, bool products_are_exact)
    : grid_(grid),
      data_(data),
      step_(step),
      possible_(products_are_exact && !data.sparse_rows && data.logical_shards > 0 &&
                grid.data_shards() > 1) {}

template <class T>
void GradientCheck<T>::run(std::size_t epoch, std::size_t step, std::size_t shard) {
  if (!gatherer_) {
    gatherer_.emplace(data_.train, data_.normalizer);
  }
  data_.sampler.global_batch(epoch, step, samples_);
  const std::size_t global = samples_.size();
  const Range rows = part_of(global, data_.logical_shards, shard);
  const std::span<const std::uint64_t> samples =
      std::span<const std::uint64_t>(samples_).subspan(rows.begin, rows.size());
  features_.resize(rows.size() * data_.train.features);
  const MatrixView<T> X{features_.data(), rows.size(), data_.train.features};
  if (data_.held) {
    const Dataset copied = data_.held->copy(data_.train, samples);
    std::vector<std::uint64_t> places(samples.size());
    std::iota(places.begin(), places.end(), std::uint64_t{0});
    std::vector<std::uint64_t> scratch;
    gatherer_->gather(samples, rows_of(copied, places, scratch), X);
  } else {
    gatherer_->gather(samples, X);
  }
  targets_.gather(*gatherer_, samples);
  const Batch<T> batch{X, targets_.view(), samples};
  const std::span<const T> gradients = step_.gradients_of_shard(batch, global, epoch);
  (void)check_replicas(grid_.world(), {{1 + grid_.model_shard(), {std::as_bytes(gradients)}}},
                       "the gradients that ranks compute of the same samples");
}

template class GradientCheck<float>;
template class GradientCheck<double>;

}  // namespace dnn
