#include "dnn/data/batch_loader.hpp"

#include <utility>

namespace dnn {

template <class T>
BatchLoader<T>::BatchLoader(Gatherer<T> gatherer, std::size_t max_rows)
    : gatherer_(std::move(gatherer)), max_rows_(max_rows) {
  for (Slot& slot : slots_) {
    slot.features = AlignedBuffer<T>(max_rows * gatherer_.data().features);
  }
  thread_ = std::thread([this] { work(); });
}

template <class T>
BatchLoader<T>::~BatchLoader() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

template <class T>
void BatchLoader<T>::start(Plan plan, std::size_t steps) {
  std::unique_lock lock(mutex_);
  steps_ = 0;  // the thread begins no further batch of the last pass
  changed_.wait(lock, [this] { return !filling_; });
  plan_ = std::move(plan);
  steps_ = steps;
  filled_ = 0;
  taken_ = 0;
  error_ = nullptr;
  lock.unlock();
  changed_.notify_all();
}

template <class T>
Batch<T> BatchLoader<T>::next() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return filled_ > taken_ || error_; });
  if (filled_ == taken_) {
    std::rethrow_exception(error_);
  }
  Slot& slot = slots_[taken_ % 2];
  ++taken_;
  lock.unlock();
  changed_.notify_all();  // the other slot is free from now on
  return {{slot.features.data(), slot.samples.size(), gatherer_.data().features},
          slot.labels,
          slot.samples};
}

template <class T>
void BatchLoader<T>::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    // At most one batch ahead of the one in use: batch k goes where batch k - 2 was.
    changed_.wait(lock,
                  [this] { return stop_ || (!error_ && filled_ < steps_ && filled_ <= taken_); });
    if (stop_) {
      return;
    }
    filling_ = true;
    Slot& slot = slots_[filled_ % 2];
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
    changed_.notify_all();
  }
}

template <class T>
void BatchLoader<T>::fill(Slot& slot, std::size_t step) {
  plan_(step, slot.samples);
  if (slot.samples.size() > max_rows_) {
    throw std::logic_error("BatchLoader: a batch larger than its buffer");
  }
  gatherer_.gather(slot.samples,
                   {slot.features.data(), slot.samples.size(), gatherer_.data().features});
  if (gatherer_.data().has_labels()) {
    slot.labels.resize(slot.samples.size());
    gatherer_.gather_labels(slot.samples, slot.labels);
  }
}

template class BatchLoader<float>;
template class BatchLoader<double>;

}  // namespace dnn
