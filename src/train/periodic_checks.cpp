#include "dnn/train/periodic_checks.hpp"

#include <fmt/format.h>

#include <stdexcept>
#include <string>

#include "dnn/comm/collective_error.hpp"
#include "dnn/core/error.hpp"

namespace dnn {

template <class T>
PeriodicChecks<T>::PeriodicChecks(std::uint64_t updates, const RankGrid& grid,
                                  const TrainingData& data, DistributedModel<T>& model,
                                  bool products_are_exact)
    : updates_(updates),
      grid_(grid),
      data_(data),
      model_(model),
      gradients_(grid, data, model.step(), products_are_exact) {}

/// For the gradients, see Note [One shard computed by all].
template <class T>
void PeriodicChecks<T>::after_update(const TrainingPosition& position, std::uint64_t updates) {
  if (updates_ == 0 || updates % updates_ != 0) {
    return;
  }
  model_.check();
  if (gradients_.is_possible()) {
    gradients_.run(position.epoch, position.step - 1, updates / updates_ % data_.logical_shards);
  }
  check_data();
}

/// Looks at some of the data; the first time, at all of them.
template <class T>
void PeriodicChecks<T>::check_data() {
  if (!data_watch_) {
    data_watch_.emplace(grid_.node().ranks(), data_.train);
  }
  const std::string damaged = data_watch_->look();
  try {
    throw_if_any_failed(
        grid_.world(), !damaged.empty(),
        fmt::format("host {}: the training data are not what was read: {} of {} have changed. The "
                    "memory of this host is faulty, or somebody has written into a file that is "
                    "mapped. Repeat the command to read them again and resume from the last "
                    "checkpoint; leave this host out if it comes again",
                    host_name(), damaged, data_.train.origin),
        Fault::other);
  } catch (const AgreedError& error) {
    throw std::runtime_error(error.what());
  }
}

template class PeriodicChecks<float>;
template class PeriodicChecks<double>;

}  // namespace dnn
