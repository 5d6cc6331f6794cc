#include "dnn/parallel/tree_exchange.hpp"

namespace dnn {

template <class T>
TreeExchange<T>::TreeExchange(const Communicator& ranks, std::size_t size,
                              std::size_t logical_shards, std::size_t not_exchanged)
    : PrivateBuffers<T>(size, &ranks, logical_shards, not_exchanged), ranks_(ranks) {}

template <class T>
void TreeExchange<T>::ready(Range /*range*/) {}

template <class T>
bool TreeExchange<T>::combine(bool finite) {
  this->mark(finite);
  const std::span<T> gradients = this->exchanged_gradients();
  if (this->tree()) {
    this->tree()->run(this->nodes_from(this->exchanged().begin), gradients.size(),
                      gradients.data());
  } else {
    ranks_.all_reduce(gradients, Reduction::sum);
  }
  return this->is_unmarked();
}

template class TreeExchange<float>;
template class TreeExchange<double>;

}  // namespace dnn
