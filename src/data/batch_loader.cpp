#include "dnn/data/batch_loader.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "dnn/core/thread_limit.hpp"

namespace dnn {

template <class T>
BatchLoader<T>::BatchLoader(Gatherer<T> gatherer, std::size_t max_rows, InputForm form)
    : gatherer_(std::move(gatherer)), max_rows_(max_rows), form_(form) {
  const std::size_t elements = form == InputForm::dense ? max_rows * gatherer_.data().features : 0;
  const std::size_t bytes =
      form == InputForm::dense
          ? elements * sizeof(T)
          : sparse_batch_bytes(stored_inputs(gatherer_.data(), gatherer_.encoding()), max_rows,
                               sizeof(T));
  const std::size_t fitting = ring_bytes / std::max<std::size_t>(bytes, 1);
  slots_.resize(std::clamp<std::size_t>(fitting, 2, longest_ring));
  for (Slot& slot : slots_) {
    slot.features = AlignedBuffer<T>(elements);
  }
  if (form == InputForm::sparse && !gatherer_.keeps_zeros()) {
    throw std::invalid_argument("BatchLoader: sparse rows with a normalizer that has a center");
  }
  thread_ = start_thread([this] { work(); });
}

template <class T>
BatchLoader<T>::~BatchLoader() {
  stop();
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
  }
  room_.notify_all();
  thread_.join();
}

template <class T>
void BatchLoader<T>::stop() {
  std::unique_lock lock(mutex_);
  steps_ = 0;  // the thread begins no further batch
  if (filling_ && rows_ != nullptr) {
    rows_->stop();
  }
  ready_.wait(lock, [this] { return !filling_; });
  rows_ = nullptr;
}

template <class T>
void BatchLoader<T>::start(Plan plan, std::size_t steps, WholeBatch whole, RowSource* rows) {
  stop();
  std::unique_lock lock(mutex_);
  plan_ = std::move(plan);
  whole_ = std::move(whole);
  rows_ = rows;
  steps_ = steps;
  filled_ = 0;
  taken_ = 0;
  error_ = nullptr;
  lock.unlock();
  room_.notify_all();
}

template <class T>
Batch<T> BatchLoader<T>::next() {
  std::unique_lock lock(mutex_);
  ready_.wait(lock, [this] { return filled_ > taken_ || error_; });
  if (filled_ == taken_) {
    std::rethrow_exception(error_);
  }
  Slot& slot = slots_[taken_ % slots_.size()];
  ++taken_;
  const bool low = filled_ - taken_ <= (slots_.size() - 1) / 2;
  lock.unlock();
  if (low) {
    room_.notify_all();
  }
  return {form_ == InputForm::dense ? InputRows<T>(dense_rows(slot)) : slot.sparse.rows(),
          slot.targets.view(), slot.samples, slot.columns.view()};
}

/// Whether the slot of the next batch is neither in use (the batch taken last is) nor waiting to
/// be.
template <class T>
bool BatchLoader<T>::has_room() const {
  return !error_ && filled_ < steps_ &&
         filled_ + 1 < std::max<std::size_t>(taken_, 1) + slots_.size();
}

template <class T>
void BatchLoader<T>::work() {
  std::unique_lock lock(mutex_);
  while (!ends_) {
    if (!has_room()) {
      room_.wait(lock);
      continue;
    }
    filling_ = true;
    Slot& slot = slots_[filled_ % slots_.size()];
    const std::size_t step = filled_;
    lock.unlock();
    std::exception_ptr error;
    try {
      fill(slot, step);
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    filling_ = false;
    error_ = error;
    filled_ += error ? 0 : 1;
    ready_.notify_all();
  }
}

template <class T>
void BatchLoader<T>::fill(Slot& slot, std::size_t step) {
  plan_(step, slot.samples);
  if (slot.samples.size() > max_rows_) {
    throw std::logic_error("BatchLoader: a batch larger than its buffer");
  }
  const FeatureRows rows = rows_ != nullptr ? rows_->of_batch(step, slot.samples, slot.places)
                                            : rows_of(gatherer_.data(), slot.samples, slot.places);
  if (form_ == InputForm::dense) {
    gatherer_.gather(slot.samples, rows, dense_rows(slot));
  } else {
    slot.sparse.gather(gatherer_, slot.samples, rows, {0, gatherer_.data().features});
    fill_whole(slot, step);
  }
  slot.targets.gather(gatherer_, slot.samples);
}

template <class T>
void BatchLoader<T>::fill_whole(Slot& slot, std::size_t step) {
  if (!whole_.plan) {
    return;
  }
  whole_.plan(step, slot.samples_of_whole);
  const FeatureRows rows = rows_ != nullptr
                               ? rows_->of_whole_batch(step, slot.samples_of_whole, slot.places)
                               : rows_of(gatherer_.data(), slot.samples_of_whole, slot.places);
  slot.whole.gather(gatherer_, slot.samples_of_whole, rows, whole_.features);
  slot.columns.sort(slot.whole.rows());
}

template class BatchLoader<float>;
template class BatchLoader<double>;

}  // namespace dnn
