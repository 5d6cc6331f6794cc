#include "dnn/library/gather_dataset.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include "dnn/comm/collective_error.hpp"
#include "dnn/core/available_memory.hpp"
#include "dnn/core/copy_bytes.hpp"
#include "dnn/core/error.hpp"
#include "dnn/library/global_order.hpp"

namespace dnn {

namespace {

/// Memory of a node for a field of every sample, all zeros, in words that can be merged.
std::span<std::byte> allocate_field(Node& node, std::size_t bytes) {
  const std::size_t words = (bytes + sizeof(std::uint64_t) - 1) / sizeof(std::uint64_t);
  const std::span<std::byte> memory =
      node.allocate_shared(words * sizeof(std::uint64_t), "the samples of the calling program");
  const Range mine = part_of(memory.size(), static_cast<std::size_t>(node.size()),
                             static_cast<std::size_t>(node.rank()));
  std::fill_n(memory.data() + mine.begin, mine.size(), std::byte{0});
  return memory;
}

/// The samples of all nodes in the memory of each: every byte is written on one node, and is zero
/// on the others.
void merge_nodes(const RankGrid& grid, std::span<std::byte> field) {
  Node& node = grid.node();
  const Communicator leaders = grid.world().split(node.is_leader() ? 0 : 1);
  if (node.is_leader() && leaders.size() > 1) {
    leaders.all_reduce(std::span(reinterpret_cast<std::uint64_t*>(field.data()),
                                 field.size() / sizeof(std::uint64_t)),
                       Reduction::bit_or);
  }
}

/// Throws AgreedError for one that is beyond those that are known.
std::size_t number_of_classes(std::int64_t largest, const Dataset& outputs) {
  constexpr std::int64_t most = 100'000'000;
  const std::size_t known = outputs.classes();
  if (largest >= (known > 0 ? static_cast<std::int64_t>(known) : most)) {
    throw AgreedError(fmt::format(
        "classes: a sample has class {}, but {}", largest,
        known > 0 ? fmt::format("the network has {} (0 to {}); the option classes gives it more",
                                known, known - 1)
                  : "classes are numbers from 0 on, without gaps; are these ids?"));
  }
  return known > 0 ? known : static_cast<std::size_t>(largest + 1);
}

}  // namespace

Dataset outputs_of(const RecordForm& form, const LibrarySettings& settings) {
  const Task task = settings.config.task;
  const std::size_t classes = settings.classes;
  const std::vector<std::string>& names = settings.class_names;
  if (!settings.feature_names.empty() && settings.feature_names.size() != form.features) {
    throw InputError(fmt::format("feature-names: {} names for {} features",
                                 settings.feature_names.size(), form.features));
  }
  Dataset outputs;
  outputs.origin = "the samples of the calling program";
  if (form.has_class == (form.targets > 0)) {
    throw InputError(form.has_class ? "the samples have both classes and targets; give one of them"
                                    : "the samples have neither classes nor targets to learn");
  }
  outputs.task = task != Task::automatic ? task : form.has_class ? Task::classes : Task::numbers;
  if (has_target_rows(outputs.task) == form.has_class) {
    throw InputError(fmt::format(
        "task {}: the samples need {}", word_for(outputs.task),
        form.has_class ? "targets (floating-point numbers), not classes" : "classes, not targets"));
  }
  const std::size_t count = form.has_class ? std::max(classes, names.size()) : form.targets;
  if ((!names.empty() && names.size() != count) || (classes > 0 && classes != count)) {
    throw InputError(
        fmt::format("{} outputs, but the options name {} (class-names) and say {} (classes)", count,
                    names.size(), classes));
  }
  if (count > std::numeric_limits<std::int32_t>::max()) {
    throw InputError(fmt::format("{} outputs: at most 2,147,483,647 can be told apart", count));
  }
  require_memory(count * sizeof(std::string), fmt::format("{} outputs: their names", count));
  outputs.class_names = names;
  for (std::size_t i = outputs.class_names.size(); i < count; ++i) {
    outputs.class_names.push_back(std::to_string(i));
  }
  return outputs;
}

Dataset gather_dataset(const RankGrid& grid, const Records& records, std::int64_t largest_class,
                       const Dataset& outputs) {
  const Communicator& world = grid.world();
  const RecordForm& form = records.form;
  const GlobalOrder order(world, records.ids());
  Dataset data = outputs;
  if (form.has_class) {
    const std::size_t classes = number_of_classes(largest_class, outputs);
    for (std::size_t i = data.class_names.size(); i < classes; ++i) {
      data.class_names.push_back(std::to_string(i));
    }
  }
  data.samples = order.size();
  data.features = form.features;
  data.row_elements = form.features;
  data.element = form.wide ? ElementType::f64 : ElementType::f32;
  const std::size_t row = form.features * element_size(data.element);

  Node& node = grid.node();
  const auto field = [&](std::size_t bytes_of_sample, auto&& write) {
    const std::size_t bytes = bytes_of_sample * order.size();
    const std::span<std::byte> memory = agree(world, [&] { return allocate_field(node, bytes); });
    node.synchronize();
    for (std::size_t p = 0; p < order.size(); ++p) {
      const GlobalOrder::Place& place = order.places()[p];
      if (place.rank == static_cast<std::uint32_t>(world.rank())) {
        write(records.record(place.index).data(), memory.data() + p * bytes_of_sample);
      }
    }
    node.synchronize();
    merge_nodes(grid, memory);
    node.synchronize();
    return Bytes{memory.first(bytes), nullptr, {}, 0};
  };
  const auto bytes_at = [](std::size_t offset, std::size_t count) {
    return [offset, count](const std::byte* from, std::byte* to) {
      copy_bytes(to, from + offset, count);
    };
  };
  data.values = field(row, bytes_at(RecordForm::features_at(), row));
  if (form.has_class) {
    data.labels = field(sizeof(std::int32_t), [&](const std::byte* from, std::byte* to) {
      std::int64_t value = 0;
      copy_bytes(&value, from + form.class_at(), sizeof(value));
      const auto narrow = static_cast<std::int32_t>(value);
      copy_bytes(to, &narrow, sizeof(narrow));
    });
  }
  if (form.targets > 0) {
    const std::size_t bytes = form.targets * sizeof(double);
    data.target_rows = field(bytes, bytes_at(form.targets_at(), bytes));
  }
  if (form.has_weight) {
    data.weights = field(sizeof(double), bytes_at(form.weight_at(), sizeof(double)));
  }
  agree(world, [&] { check_trainable(data); });
  return data;
}

}  // namespace dnn
