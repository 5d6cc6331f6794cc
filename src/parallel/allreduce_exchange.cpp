#include "dnn/parallel/allreduce_exchange.hpp"

namespace dnn {

template <class T>
AllreduceExchange<T>::AllreduceExchange(const Communicator& ranks, std::size_t size)
    : PrivateBuffers<T>(size), ranks_(ranks) {}

template <class T>
void AllreduceExchange<T>::ready(Range /*range*/) {}

template <class T>
bool AllreduceExchange<T>::combine(bool finite) {
  this->mark(finite);
  ranks_.all_reduce(this->gradients(), Reduction::sum);
  return this->is_unmarked();
}

template class AllreduceExchange<float>;
template class AllreduceExchange<double>;

}  // namespace dnn
