#include "dnn/data/batch_loader.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace dnn {

template <class T>
BatchLoader<T>::BatchLoader(Gatherer<T> gatherer, std::size_t max_rows)
    : gatherer_(std::move(gatherer)), max_rows_(max_rows) {
  const std::size_t elements = max_rows * gatherer_.data().features;
  const std::size_t fitting = ring_bytes / std::max<std::size_t>(elements * sizeof(T), 1);
  slots_.resize(std::clamp<std::size_t>(fitting, 2, longest_ring));
  for (Slot& slot : slots_) {
    slot.features = AlignedBuffer<T>(elements);
  }
  thread_ = std::thread([this] { work(); });
}

template <class T>
BatchLoader<T>::~BatchLoader() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  room_.notify_all();
  thread_.join();
}

template <class T>
void BatchLoader<T>::start(Plan plan, std::size_t steps) {
  std::unique_lock lock(mutex_);
  steps_ = 0;  // the thread begins no further batch of the last pass
  ready_.wait(lock, [this] { return !filling_; });
  plan_ = std::move(plan);
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
  return {{slot.features.data(), slot.samples.size(), gatherer_.data().features},
          slot.labels,
          slot.samples};
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
  while (!stop_) {
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
