#include "dnn/train/distributed_model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <utility>

#include "dnn/comm/collective_error.hpp"
#include "dnn/core/copy_bytes.hpp"
#include "dnn/core/error.hpp"
#include "dnn/core/largest_magnitude.hpp"
#include "dnn/model/model_file.hpp"
#include "dnn/train/replica_check.hpp"
#include "dnn/train/training_setup.hpp"

namespace dnn {

namespace {

/// What a sum of gradients may be: Adam squares it.
template <class T>
double largest_gradient(OptimizerKind optimizer) {
  const double largest = static_cast<double>(std::numeric_limits<T>::max());
  const bool squares = optimizer == OptimizerKind::adam || optimizer == OptimizerKind::adamw;
  return squares ? std::sqrt(largest) : largest;
}

OptimizerSettings optimizer_of(const OptimizationSettings& settings, std::size_t steps_per_epoch) {
  return {.kind = settings.optimizer,
          .momentum = settings.momentum,
          .weight_decay = settings.weight_decay,
          .average_updates = settings.average_weights * static_cast<double>(steps_per_epoch)};
}

}  // namespace

template <class T>
DistributedModel<T>::DistributedModel(const TrainerSettings& settings, RankGrid& grid,
                                      const ModelPlan& plan, const TrainingData& data,
                                      std::size_t max_rows)
    : settings_(settings),
      grid_(grid),
      exchange_(agree(grid.world(),
                      [&] {
                        return make_exchange<T>(plan.exchange, plan.exchange_settings,
                                                grid.data_group(), grid.data_domain(),
                                                plan.part.size());
                      })),
      parts_(grid, plan.part, exchange_->own(), sizeof(T)) {
  const LossSettings loss{
      .task = data.train.task,
      .label_smoothing = settings.label_smoothing,
      .class_weights = class_weights_of(settings.class_weights, grid.world(), data),
      .huber = settings.huber};
  const std::size_t shards = data.logical_shards;
  const std::size_t summed = shards > 0 ? shards : static_cast<std::size_t>(grid.world().size());
  agree(grid.world(), [&] {
    step_.emplace(plan.part,
                  typename TrainingStep<T>::Settings{
                      max_rows, settings.dropout, settings.clip_norm, settings.seed, plan.products,
                      data.sparse_rows, data.largest_feature,
                      largest_gradient<T>(settings.optimizer) / static_cast<double>(summed), shards,
                      part_of(shards, grid.data_shards(), grid.data_shard())},
                  loss, optimizer_of(settings, data.sampler.steps()), *exchange_,
                  grid.is_split() ? &grid.model_group() : nullptr);
  });
  step_->set_values([&](std::span<T> values) {
    initialize(step_->layout(), settings.initializer(data.train.task), settings.seed, values);
  });
}

template <class T>
typename DistributedModel<T>::Bytes DistributedModel<T>::parameters() {
  if (grid_.is_split()) {
    return parts_.gather(own_parameters());
  }
  return grid_.world().is_root() ? packed_parameters<T>(step_->layout(), step_->values()) : Bytes();
}

template <class T>
std::string DistributedModel<T>::hash_of(std::span<const std::byte> packed) const {
  const Communicator& world = grid_.world();
  return world.broadcast(world.is_root() ? dnn::parameters_sha256(packed) : std::string(), 0);
}

template <class T>
void DistributedModel<T>::set_parameters(Bytes packed) {
  const Bytes own = parts_.distribute(std::move(packed));
  step_->set_values(
      [&](std::span<T> values) { unpack_parameters<T>(step_->layout(), std::span(own), values); });
}

template <class T>
void DistributedModel<T>::use_average() {
  if (!average_used_ && step_->optimizer().has_average()) {
    step_->swap_average();
    average_used_ = true;
  }
}

template <class T>
void DistributedModel<T>::use_trained() {
  if (average_used_) {
    step_->swap_average();
    average_used_ = false;
  }
}

template <class T>
std::vector<T> DistributedModel<T>::summed_gradients() {
  std::vector<T> gradients(step_->layout().size());
  const Range own = parts_.saved().flat;  // every element from one rank
  step_->places().for_each_run(own, [&](Range run, std::size_t place) {
    std::ranges::copy(step_->gradients().subspan(place, run.size()),
                      gradients.begin() + static_cast<std::ptrdiff_t>(run.begin));
  });
  grid_.data_group().all_reduce(std::span(gradients), Reduction::sum);
  return gradients;
}

template <class T>
std::vector<NamedHistogram> DistributedModel<T>::histograms(bool gradients) {
  std::vector<NamedHistogram> tensors;
  add_histograms(parameters(), "", tensors);
  if (gradients) {
    const std::vector<T> summed = summed_gradients();
    const std::span<const T> view(summed);
    add_histograms(grid_.is_split()          ? parts_.gather(parts_.take<T>(view, 0))
                   : grid_.world().is_root() ? packed_parameters<T>(step_->layout(), view)
                                             : Bytes(),
                   "d", tensors);
  }
  return tensors;
}

/// Of packed parameters, or of gradients packed like them.
template <class T>
void DistributedModel<T>::add_histograms(const Bytes& packed, const std::string& prefix,
                                         std::vector<NamedHistogram>& tensors) const {
  if (packed.empty()) {
    return;
  }
  std::vector<T> numbers(packed.size() / sizeof(T));
  copy_bytes(numbers.data(), packed.data(), packed.size());
  const std::vector<std::size_t>& widths = step_->layout().widths();
  std::span<const T> rest(numbers);
  const auto add = [&](const std::string& name, std::size_t count) {
    tensors.push_back({prefix + name, Histogram::of(rest.first(count))});
    rest = rest.subspan(count);
  };
  for (std::size_t layer = 1; layer < widths.size(); ++layer) {
    add("W" + std::to_string(layer), widths[layer - 1] * widths[layer]);
    add("B" + std::to_string(layer), widths[layer]);
  }
}

template <class T>
void DistributedModel<T>::check_memory() {
  try {
    throw_if_any_failed(
        grid_.world(), step_->optimizer().is_damaged(),
        fmt::format("host {}: a bit has flipped in the parameters or the optimizer's state: they "
                    "are not what the last update has written. The memory of this host is faulty, "
                    "or a program has written into it. Repeat the command to resume from the last "
                    "checkpoint; leave this host out if it comes again",
                    host_name()),
        Fault::other);
  } catch (const AgreedError& error) {
    throw std::runtime_error(error.what());
  }
}

template <class T>
std::string DistributedModel<T>::check() {
  step_->optimizer().verify(step_->values());
  check_memory();
  bool finite = std::isfinite(largest_magnitude(std::span<const T>(step_->values())));
  for (std::size_t i = 0; i < step_->optimizer().buffers(); ++i) {
    finite =
        finite && std::isfinite(largest_magnitude(std::span<const T>(step_->optimizer().state(i))));
  }
  throw_if_any_failed(
      grid_.world(), !finite,
      "the parameters or the optimizer's state are no numbers any more (the training "
      "diverged, or a fault in memory); the newest checkpoint is from before; lower "
      "the learning rate or set --clip-norm in a new run",
      Fault::numbers);
  const auto digests =
      check_replicas(grid_.world(), replicas_of<T>(grid_, step_->layout(), step_->values()));
  return grid_.is_split() ? std::string() : to_hex(digests.front());
}

template <class T>
void DistributedModel<T>::require_fit(const Checkpoint& checkpoint, std::size_t steps_per_epoch) {
  agree(grid_.world(), [&] {
    const std::vector<std::size_t>& widths = step_->layout().widths();
    if (grid_.world().is_root() &&
        (!std::equal(widths.begin(), widths.end(), checkpoint.widths.begin(),
                     checkpoint.widths.end()) ||
         checkpoint.precision != stored_as(settings_.precision) ||
         checkpoint.steps_per_epoch != steps_per_epoch ||
         checkpoint.optimizer_state.size() != step_->optimizer().buffers())) {
      throw InputError("the checkpoint is one of another network, optimizer or data set");
    }
  });
}

template <class T>
void DistributedModel<T>::name_network(Checkpoint& checkpoint) const {
  const std::vector<std::size_t>& widths = step_->layout().widths();
  checkpoint.widths.assign(widths.begin(), widths.end());
  checkpoint.precision = stored_as(settings_.precision);
}

template <class T>
void DistributedModel<T>::gather(Checkpoint& checkpoint) {
  name_network(checkpoint);
  gather_tensors(grid_.world(), *step_, *exchange_, parts_, checkpoint);
}

template <class T>
typename DistributedModel<T>::Bytes DistributedModel<T>::take_slice(Checkpoint& checkpoint) {
  name_network(checkpoint);
  return dnn::take_slice(grid_.world(), *step_, *exchange_, parts_, checkpoint);
}

template class DistributedModel<float>;
template class DistributedModel<double>;

}  // namespace dnn
