#include "dnn/parallel/allreduce_exchange.hpp"

#include <algorithm>

#include "dnn/core/add.hpp"

namespace dnn {

template <class T>
AllreduceExchange<T>::AllreduceExchange(const Communicator& ranks, std::size_t size,
                                        std::size_t logical_shards, std::size_t not_exchanged)
    : PrivateBuffers<T>(size, &ranks, logical_shards, not_exchanged), ranks_(ranks) {}

template <class T>
void AllreduceExchange<T>::ready(Range /*range*/) {}

template <class T>
void AllreduceExchange<T>::sum_own_nodes() {
  const std::span<T> gradients = this->exchanged_gradients();
  const std::size_t first = this->exchanged().begin;
  const std::size_t nodes = this->tree() ? this->tree()->nodes().size() : 1;
  if (nodes == 0) {
    std::ranges::fill(gradients, T{0});  // they hold the last step's sums
  }
  for (std::size_t i = 1; i < nodes; ++i) {
    add(this->part(i).data() + first, gradients.data(), gradients.size());
  }
}

template <class T>
bool AllreduceExchange<T>::combine(bool finite) {
  sum_own_nodes();
  this->mark(finite);
  ranks_.all_reduce(this->exchanged_gradients(), Reduction::sum);
  return this->is_unmarked();
}

template class AllreduceExchange<float>;
template class AllreduceExchange<double>;

}  // namespace dnn
