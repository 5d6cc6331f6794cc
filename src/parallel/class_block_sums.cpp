#include "dnn/parallel/class_block_sums.hpp"

#include <utility>

namespace dnn {

template <class T>
ClassBlockSums<T>::ClassBlockSums(const Communicator* group, std::size_t blocks, Range held)
    : first_(held.begin), nodes_(tree_nodes(blocks, held)) {
  if (group != nullptr) {
    reduction_.emplace(*group, blocks, nodes_);
  }
}

template <class T>
void ClassBlockSums<T>::begin(const std::vector<std::span<T>>& parts, std::span<T> to) {
  std::vector<TreePart<T>> leaves;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    leaves.push_back({{first_ + i, first_ + i + 1}, parts[i].data()});
  }
  std::vector<const T*> sums;
  for (const Range node : nodes_) {
    T* sum = reduction_ ? parts[node.begin - first_].data() : to.data();
    sum_along_tree<T>(node, leaves, to.size(), sum);
    sums.push_back(sum);
  }
  if (reduction_ && to.size() <= TreeReduction<T>::most_at_once) {
    under_way_ = reduction_->begin(std::move(sums), to.size(), to.data());
  } else if (reduction_) {
    reduction_->run(sums, to.size(), to.data());
  }
}

template <class T>
void ClassBlockSums<T>::finish() {
  if (under_way_) {
    under_way_->wait();
    under_way_.reset();
  }
}

template class ClassBlockSums<float>;
template class ClassBlockSums<double>;

}  // namespace dnn
