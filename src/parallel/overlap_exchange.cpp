#include "dnn/parallel/overlap_exchange.hpp"

#include <algorithm>
#include <chrono>

#include "dnn/core/thread_limit.hpp"
#include "dnn/core/threads.hpp"

namespace dnn {

namespace {

using Clock = std::chrono::steady_clock;

// Between two tests the thread sleeps this many times as long as a test takes, so that it has a
// twentieth of the core that it may share with backward.
constexpr int sleep_share = 20;
constexpr Clock::duration shortest_sleep = std::chrono::microseconds(50);
constexpr Clock::duration longest_sleep = std::chrono::milliseconds(1);

}  // namespace

template <class T>
OverlapExchange<T>::OverlapExchange(const Communicator& ranks, std::size_t size,
                                    std::size_t logical_shards, std::size_t bucket_bytes,
                                    std::size_t not_exchanged)
    : PrivateBuffers<T>(size, &ranks, logical_shards, not_exchanged),
      ranks_(ranks),
      bucket_elements_(std::clamp<std::size_t>(bucket_bytes / sizeof(T), 1, std::size_t{1} << 30)),
      collected_{size, size},
      thread_(start_thread([this] { work(); })) {}

template <class T>
OverlapExchange<T>::~OverlapExchange() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

template <class T>
void OverlapExchange<T>::ready(Range range) {
  // Layers come last first, so what is collected grows downwards. What lies between two layers is
  // padding, which travels along. The bucket with the first gradient goes in combine(), which may
  // have to mark it.
  const std::size_t first = this->exchanged().begin;
  collected_.begin = std::max(range.begin, first);
  while (collected_.size() >= bucket_elements_ && collected_.end - first > bucket_elements_) {
    const Range bucket{collected_.end - bucket_elements_, collected_.end};
    send(bucket);
    collected_.end = bucket.begin;
  }
}

template <class T>
bool OverlapExchange<T>::combine(bool finite) {
  this->mark(finite);
  send(collected_);
  const HeartbeatRecorder::Waiting waiting(ranks_.heartbeat(), Operation::all_reduce);
  std::unique_lock lock(mutex_);
  waiting_ = true;
  changed_.wait(lock, [this] { return error_ || (buckets_.empty() && !busy_); });
  waiting_ = false;
  if (error_) {
    std::rethrow_exception(error_);
  }
  const std::size_t size = this->own().end;
  collected_ = {size, size};
  return this->is_unmarked();
}

template <class T>
void OverlapExchange<T>::send(Range bucket) {
  if (ranks_.size() == 1 && !this->tree()) {
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    buckets_.push_back(bucket);
  }
  changed_.notify_all();
}

template <class T>
auto OverlapExchange<T>::begin(Range bucket) -> Sum {
  const std::span<T> sums = this->gradients().subspan(bucket.begin, bucket.size());
  if (this->tree()) {
    return {{}, this->tree()->begin(this->nodes_from(bucket.begin), sums.size(), sums.data())};
  }
  return {ranks_.begin_all_reduce(sums, Reduction::sum), nullptr};
}

template <class T>
void OverlapExchange<T>::work() {
  set_threads(1);  // this one: the others are the rank's
  std::unique_lock lock(mutex_);
  while (!stop_) {
    changed_.wait(lock, [this] { return stop_ || !buckets_.empty(); });
    busy_ = true;
    try {
      while (!stop_ && (!buckets_.empty() || !under_way_.empty())) {
        begin_and_test(lock);
      }
    } catch (...) {
      if (!lock.owns_lock()) {
        lock.lock();
      }
      error_ = std::current_exception();
      stop_ = true;
    }
    busy_ = false;
    changed_.notify_all();
  }
}

template <class T>
void OverlapExchange<T>::begin_and_test(std::unique_lock<std::mutex>& lock) {
  std::deque<Range> begun;
  begun.swap(buckets_);
  const bool waiting = waiting_;
  lock.unlock();
  for (const Range bucket : begun) {
    under_way_.push_back(begin(bucket));
  }
  const auto start = Clock::now();
  std::erase_if(under_way_, [](Sum& sum) { return sum.test(); });
  if (!under_way_.empty()) {
    if (waiting) {
      std::this_thread::yield();
    } else {
      std::this_thread::sleep_for(std::clamp<Clock::duration>(sleep_share * (Clock::now() - start),
                                                              shortest_sleep, longest_sleep));
    }
  }
  lock.lock();
}

template class OverlapExchange<float>;
template class OverlapExchange<double>;

}  // namespace dnn
