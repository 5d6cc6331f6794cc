#include "dnn/train/training_batches.hpp"

#include <cstdint>
#include <vector>

namespace dnn {

template <class T>
TrainingBatches<T>::TrainingBatches(const RankGrid& grid, const TrainingData& data,
                                    std::size_t epochs)
    : grid_(grid),
      data_(data),
      loader_(Gatherer<T>(data.train, data.normalizer), data.sampler.max_share(), data.form()) {
  if (data.held) {
    rows_.emplace(
        data.train, *data.held,
        RowWindows::Settings{
            .plan =
                [&sampler = data.sampler](std::size_t epoch, std::size_t step, std::size_t shard,
                                          std::vector<std::uint64_t>& samples) {
                  sampler.append_batch(epoch, step, shard, samples);
                },
            .steps = data.sampler.steps(),
            .passes = 1 + epochs,
            .whole_batches = data.sparse_rows,
            .bytes = data.placement.window_bytes});
  } else if (PrefetchedRows::suits(data.train)) {
    mapped_rows_.emplace(data.train);
  }
}

template <class T>
void TrainingBatches<T>::begin(std::size_t epoch, std::size_t step, Range owned) {
  loader_.stop();
  RowSource* const rows = begin_rows(epoch, step);
  const Sampler& sampler = data_.sampler;
  loader_.start(
      [&sampler, epoch, step](std::size_t ahead, std::vector<std::uint64_t>& samples) {
        sampler.batch(epoch, step + ahead, samples);
      },
      sampler.steps() - step,
      {[&sampler, epoch, step](std::size_t ahead, std::vector<std::uint64_t>& samples) {
         sampler.global_batch(epoch, step + ahead, samples);
       },
       owned},
      rows);
}

/// The source of the rows of the epoch's batches from `step` on; null: the data set.
template <class T>
RowSource* TrainingBatches<T>::begin_rows(std::size_t epoch, std::size_t step) {
  if (rows_) {
    rows_->begin(epoch, step);
    return &*rows_;
  }
  if (!mapped_rows_) {
    return nullptr;
  }
  const std::size_t first = data_.sparse_rows ? 0 : grid_.data_shard();
  const std::size_t end = data_.sparse_rows ? grid_.data_shards() : first + 1;
  mapped_rows_->begin(
      [&sampler = data_.sampler, epoch, step, first, end](std::size_t ahead,
                                                          std::vector<std::uint64_t>& samples) {
        for (std::size_t shard = first; shard < end; ++shard) {
          sampler.append_batch(epoch, step + ahead, shard, samples);
        }
      },
      data_.sampler.steps() - step);
  return &*mapped_rows_;
}

template <class T>
Batch<T> TrainingBatches<T>::next(std::size_t step) {
  if (rows_) {
    rows_->require(step);
  }
  const Batch<T> batch = loader_.next();
  if (rows_) {
    rows_->look_ahead();
  }
  return batch;
}

template <class T>
void TrainingBatches<T>::finish() {
  loader_.stop();  // it may still read rows of the window that ends here
  if (rows_) {
    rows_->finish();
  }
}

template class TrainingBatches<float>;
template class TrainingBatches<double>;

}  // namespace dnn
