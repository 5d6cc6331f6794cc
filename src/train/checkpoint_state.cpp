#include "dnn/train/checkpoint_state.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "dnn/core/aligned_buffer.hpp"
#include "dnn/model/model_file.hpp"
#include "dnn/parallel/split_owned_range.hpp"
#include "dnn/train/tensor_parts.hpp"

namespace dnn {

namespace {

/// Calls `visit(range)` for what W and B of each layer have in common with `flat`, in order.
template <class Visitor>
void for_each_tensor_in(const ParameterLayout& layout, Range flat, Visitor&& visit) {
  for (const LayerLayout& layer : layout.layers()) {
    visit(intersect(layer.weights, flat));
    visit(intersect(layer.bias, flat));
  }
}

}  // namespace

std::size_t packed_offset(const ParameterLayout& layout, std::size_t element) {
  std::size_t count = 0;
  for_each_tensor_in(layout, {0, element}, [&count](Range range) { count += range.size(); });
  return count;
}

SavedElements SavedElements::find(const Communicator& ranks, const ParameterLayout& layout,
                                  Range own) {
  const Range flat = split_owned_range(ranks, own);
  return {flat, {packed_offset(layout, flat.begin), packed_offset(layout, flat.end)}};
}

template <class T>
void append_packed(const ParameterLayout& layout, std::span<const T> held, std::size_t first,
                   Range flat, std::vector<std::byte>& bytes) {
  for_each_tensor_in(layout, flat, [&](Range range) {
    if (!range.empty()) {
      const auto part = std::as_bytes(held.subspan(range.begin - first, range.size()));
      bytes.insert(bytes.end(), part.begin(), part.end());
    }
  });
}

template void append_packed(const ParameterLayout&, std::span<const float>, std::size_t, Range,
                            std::vector<std::byte>&);
template void append_packed(const ParameterLayout&, std::span<const double>, std::size_t, Range,
                            std::vector<std::byte>&);

template <class T>
std::vector<std::byte> take_slice(const Communicator& world, TrainingStep<T>& step,
                                  const GradientExchange<T>& exchange, const TensorParts& parts,
                                  Checkpoint& checkpoint) {
  Optimizer<T>& optimizer = step.optimizer();
  std::vector<std::byte> bytes;
  // With the best W and B, which are to follow.
  bytes.reserve((2 + optimizer.buffers()) * parts.written().size() * sizeof(T));
  parts.append_written<T>(step.values(), 0, bytes);
  for (std::size_t i = 0; i < optimizer.buffers(); ++i) {
    parts.append_written<T>(optimizer.state(i), exchange.own().begin, bytes);
  }
  checkpoint.optimizer_state.resize(optimizer.buffers());
  checkpoint.optimizer_steps = optimizer.steps();
  checkpoint.has_average = optimizer.has_average();
  checkpoint.residuals = world.gather(exchange.save_residual(), 0);
  return bytes;
}

template std::vector<std::byte> take_slice(const Communicator&, TrainingStep<float>&,
                                           const GradientExchange<float>&, const TensorParts&,
                                           Checkpoint&);
template std::vector<std::byte> take_slice(const Communicator&, TrainingStep<double>&,
                                           const GradientExchange<double>&, const TensorParts&,
                                           Checkpoint&);

template <class T>
void gather_tensors(const Communicator& world, TrainingStep<T>& step,
                    const GradientExchange<T>& exchange, const TensorParts& parts,
                    Checkpoint& checkpoint) {
  Optimizer<T>& optimizer = step.optimizer();
  checkpoint.parameters = parts.gather(parts.take<T>(step.values(), 0));
  for (std::size_t i = 0; i < optimizer.buffers(); ++i) {
    checkpoint.optimizer_state.push_back(
        parts.gather(parts.take<T>(optimizer.state(i), exchange.own().begin)));
  }
  checkpoint.optimizer_steps = optimizer.steps();
  checkpoint.has_average = optimizer.has_average();
  checkpoint.residuals = world.gather(exchange.save_residual(), 0);
}

template <class T>
bool restore_tensors(const Communicator& world, TrainingStep<T>& step,
                     GradientExchange<T>& exchange, const TensorParts& parts,
                     Checkpoint& checkpoint) {
  const ParameterLayout& layout = step.layout();
  Optimizer<T>& optimizer = step.optimizer();
  {
    const auto packed = parts.distribute(std::exchange(checkpoint.parameters, {}));
    step.set_values(
        [&](std::span<T> values) { unpack_parameters<T>(layout, std::span(packed), values); });
  }
  AlignedBuffer<T> whole(layout.size());
  const Range own = exchange.own();
  checkpoint.optimizer_state.resize(optimizer.buffers());
  for (std::size_t i = 0; i < optimizer.buffers(); ++i) {
    const auto packed = parts.distribute(std::exchange(checkpoint.optimizer_state[i], {}));
    unpack_parameters<T>(layout, std::span(packed), whole.span());
    std::copy_n(whole.data() + own.begin, own.size(), optimizer.state(i).data());
  }
  std::uint64_t steps = checkpoint.optimizer_steps;
  world.broadcast(std::as_writable_bytes(std::span(&steps, 1)), 0);
  optimizer.set_steps(steps);
  optimizer.accept(step.values());

  std::vector<std::string> residuals = checkpoint.residuals;
  const bool had_any = std::any_of(residuals.begin(), residuals.end(),
                                   [](const std::string& bytes) { return !bytes.empty(); });
  if (residuals.size() != static_cast<std::size_t>(world.size())) {
    residuals.assign(static_cast<std::size_t>(world.size()), {});
  }
  const std::string mine = world.scatter(residuals, 0);
  const bool lacks = had_any && mine.empty() && !exchange.save_residual().empty();
  const std::int64_t fits = exchange.load_residual(mine) && !lacks ? 1 : 0;
  if (world.all_reduce(fits, Reduction::min) == 1) {
    return true;
  }
  exchange.load_residual({});
  return false;
}

template void gather_tensors(const Communicator&, TrainingStep<float>&,
                             const GradientExchange<float>&, const TensorParts&, Checkpoint&);
template void gather_tensors(const Communicator&, TrainingStep<double>&,
                             const GradientExchange<double>&, const TensorParts&, Checkpoint&);
template bool restore_tensors(const Communicator&, TrainingStep<float>&, GradientExchange<float>&,
                              const TensorParts&, Checkpoint&);
template bool restore_tensors(const Communicator&, TrainingStep<double>&, GradientExchange<double>&,
                              const TensorParts&, Checkpoint&);

}  // namespace dnn
