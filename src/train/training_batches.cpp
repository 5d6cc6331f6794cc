#include "dnn/train/training_batches.hpp"

#include <cstdint>
#include <vector>

#include "dnn/comm/collective_error.hpp"

namespace dnn {

template <class T>
TrainingBatches<T>::TrainingBatches(const RankGrid& grid, const TrainingData& data,
                                    std::size_t epochs)
    : sampler_(data.sampler),
      rows_(grid, data.train, data.held.get(),
            {.plan =
                 [&sampler = data.sampler](std::size_t epoch, std::size_t step, std::size_t shard,
                                           std::vector<std::uint64_t>& samples) {
                   sampler.append_batch(epoch, step, shard, samples);
                 },
             .finder = [&sampler = data.sampler](std::size_t epoch) -> RowWindows::Finder {
               return [places = sampler.places(epoch)](std::uint64_t sample) {
                 return places.of(sample);
               };
             },
             .steps = data.sampler.steps(),
             .samples = data.sampler.training_samples(),
             .batch = data.sampler.batch_samples(0),
             .passes = 1 + epochs,
             .whole_batches = data.sparse_rows,
             .bytes = data.placement.window_bytes}) {
  agree(grid.world(), [&] {
    loader_.emplace(Gatherer<T>(data.train, data.normalizer), data.sampler.max_share(),
                    data.form());
  });
}

template <class T>
void TrainingBatches<T>::begin(std::size_t epoch, std::size_t step, Range owned) {
  loader_->stop();
  RowSource* const rows = rows_.begin(epoch, step);
  loader_->start(
      [&sampler = sampler_, epoch, step](std::size_t ahead, std::vector<std::uint64_t>& samples) {
        sampler.batch(epoch, step + ahead, samples);
      },
      sampler_.steps() - step,
      {[&sampler = sampler_, epoch, step](std::size_t ahead, std::vector<std::uint64_t>& samples) {
         sampler.global_batch(epoch, step + ahead, samples);
       },
       owned},
      rows);
}

template <class T>
Batch<T> TrainingBatches<T>::next(std::size_t step) {
  rows_.require(step);
  const Batch<T> batch = loader_->next();
  rows_.look_ahead();
  return batch;
}

template <class T>
void TrainingBatches<T>::finish() {
  loader_->stop();  // it may still read rows of the window that ends here
  rows_.finish();
}

template class TrainingBatches<float>;
template class TrainingBatches<double>;

}  // namespace dnn
