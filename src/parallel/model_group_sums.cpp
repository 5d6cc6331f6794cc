#include "dnn/parallel/model_group_sums.hpp"

namespace dnn {

template <class T>
ModelGroupSums<T>::ModelGroupSums(const Communicator& group) : group_(group) {}

template <class T>
void ModelGroupSums<T>::sum(std::span<T> part) {
  group_.all_reduce(part, Reduction::sum);
}

template <class T>
void ModelGroupSums<T>::begin(std::span<T> part) {
  under_way_ = group_.begin_all_reduce(part, Reduction::sum);
}

template <class T>
void ModelGroupSums<T>::finish() {
  const HeartbeatRecorder::Waiting waiting(group_.heartbeat(), Operation::all_reduce);
  under_way_.wait();
}

template class ModelGroupSums<float>;
template class ModelGroupSums<double>;

}  // namespace dnn
