#include "dnn/store/training_data.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "dnn/comm/collective_error.hpp"
#include "dnn/comm/node_cores.hpp"
#include "dnn/core/available_memory.hpp"
#include "dnn/core/error.hpp"
#include "dnn/data/feature_encoding.hpp"
#include "dnn/data/feature_statistics.hpp"
#include "dnn/data/mapped_access.hpp"
#include "dnn/data/sparse_batch.hpp"
#include "dnn/files/stream.hpp"
#include "dnn/readers/data_source.hpp"
#include "dnn/readers/open_dataset.hpp"
#include "dnn/store/disk_cache.hpp"
#include "dnn/store/missing_values.hpp"
#include "dnn/store/sample_weights.hpp"
#include "dnn/store/shared_dataset.hpp"
#include "dnn/store/statistics.hpp"
#include "dnn/store/target_scale.hpp"

namespace dnn {

namespace {

struct Parts {
  Dataset train;
  std::optional<Dataset> test;
};

Parts read_parts(const DataSettings& settings, bool wide) {
  ReadOptions options = read_options_of(settings, wide);
  DataSource source(settings.data);
  Parts parts{source.read(Part::train, options), std::nullopt};
  check_trainable(parts.train);
  if (settings.task != Task::automatic && parts.train.task != settings.task) {
    throw InputError(fmt::format("{}: --task {}: data of this form have classes only",
                                 parts.train.origin, word_for(settings.task)));
  }
  if (!settings.weight_column.empty() && !parts.train.has_weights()) {
    throw InputError(
        fmt::format("{}: --weight-column {}: only a table of text has a column of "
                    "weights; save the data as CSV",
                    parts.train.origin, settings.weight_column));
  }
  options.task = parts.train.task;
  options.outputs = parts.train.classes();
  const bool own_test = settings.test_data.empty() && source.has_test_part(true);
  if (own_test || !settings.test_data.empty()) {
    if (!parts.train.schema.empty()) {
      options.schema = &parts.train.schema;
      // The schema knows them; their numbers may be others here.
      options.label_column.clear();
      options.weight_column.clear();
    } else {
      // A sparse file need not hold the last features; more of them are an error all the same.
      options.features = parts.train.features;
    }
    if (parts.train.is_sparse()) {
      options.index_base = parts.train.index_base;
    }
    Dataset test = own_test ? source.read(Part::test, options)
                            : open_dataset(settings.test_data, Part::test, options);
    check_encodable(test, parts.train.schema, "the training data");
    check_features(test, parts.train.features, parts.train.feature_names, "the training data");
    use_classes(test, parts.train.class_names, "the training data");
    if (!test.has_labels() || test.samples == 0) {
      throw InputError(test.origin + ": test data need samples with labels");
    }
    parts.test = std::move(test);
  }
  return parts;
}

/// What the parts follow from; empty where that cannot be known before they are read.
std::string identity_of_parts(const DataSettings& settings, bool wide) {
  const std::string train = DataSource::identity_of(settings.data);
  const std::string test =
      settings.test_data.empty() ? "none" : DataSource::identity_of(settings.test_data);
  if (train.empty() || test.empty()) {
    return {};
  }
  const std::string options =
      fmt::format("{} {} {} {}", static_cast<int>(settings.task),
                  static_cast<int>(settings.csv_header), settings.max_categories, wide);
  return fmt::format(
      "{}", fmt::join({train, test, options, settings.label_column, settings.label_separator,
                       settings.weight_column, settings.columns, settings.missing,
                       std::string(settings.drop_unlabelled ? "drop" : "keep")},
                      "\n\n"));
}

/// The parts as a file of the node's disk has them; `read` are written to it, or else what is read,
/// if there is no such file.
Parts parts_on_disk(const DataSettings& settings, bool wide, std::optional<Parts> read) {
  DiskCache cache(settings.scratch, identity_of_parts(settings, wide));
  DiskCache::Parts parts = cache.find_or_make([&] {
    Parts made = read ? std::move(*read) : read_parts(settings, wide);
    return DiskCache::Parts{std::move(made.train), {}, std::move(made.test), {}};
  });
  return {std::move(parts.train), std::move(parts.test)};
}

/// Collective over `world`: puts what the nodes' leaders have read on their disks, unless it lies
/// there. Returns where that is on this rank's node.
std::string put_on_disk(const Communicator& world, const DataSettings& settings, bool wide,
                        std::optional<Parts>& parts) {
  agree(
      world,
      [&] {
        if (parts && settings.placement != Placement::disk) {
          parts = parts_on_disk(settings, wide, std::move(parts));
        }
      },
      Waiting::asleep);
  return world.broadcast(parts ? parts->train.values.mapped_path : std::string(), 0);
}

std::size_t held_out_samples(const DataSettings& settings, std::size_t samples) {
  const auto count =
      static_cast<std::size_t>(std::llround(settings.validation * static_cast<double>(samples)));
  if (count >= samples) {
    throw InputError(fmt::format("--validation {} leaves none of the {} samples to train on",
                                 settings.validation, samples));
  }
  return count;
}

std::size_t global_batch(const DataSettings& settings, std::size_t training_samples) {
  if (!settings.batch_size) {
    return std::min(DataSettings::default_batch_size, training_samples);
  }
  if (*settings.batch_size > training_samples) {
    throw InputError(fmt::format("--batch-size {} is above the number of training samples, {}",
                                 *settings.batch_size, training_samples));
  }
  return *settings.batch_size;
}

/// Collective over `world`.
DataFacts facts_of(const Communicator& world, const Dataset& data) {
  DataFacts facts{.samples = data.samples,
                  .features = data.features,
                  .classes = data.classes(),
                  .has_classes = !has_target_rows(data.task),
                  .has_weights = data.has_weights(),
                  .sparse_rows = keeps_rows_sparse(data)};
  if (!facts.has_classes) {
    return facts;
  }
  std::vector<std::uint64_t> counts(data.classes(), 0);
  const Range mine = part_of(data.samples, static_cast<std::size_t>(world.size()),
                             static_cast<std::size_t>(world.rank()));
  for (std::size_t i = mine.begin; i < mine.end; ++i) {
    ++counts[static_cast<std::size_t>(data.label_view()[i])];
  }
  world.all_reduce(std::span(counts), Reduction::sum);
  facts.rarest_class = data.samples;
  for (const std::uint64_t count : counts) {
    if (count > 0) {
      facts.rarest_class = std::min<std::size_t>(facts.rarest_class, count);
      facts.commonest_class = std::max<std::size_t>(facts.commonest_class, count);
    }
  }
  return facts;
}

Sampler::Settings sampling_of(const DataSettings& settings, const RankGrid& grid,
                              const Dataset& train, const LoadOptions& options) {
  Sampler::Settings sampling;
  sampling.samples = train.samples;
  sampling.seed = settings.seed;
  sampling.ranks = grid.data_shards();
  sampling.rank = grid.data_shard();
  sampling.held_out = held_out_samples(settings, train.samples);
  sampling.batch_size = global_batch(settings, train.samples - sampling.held_out);
  sampling.logical_shards =
      options.logical_shards ? options.logical_shards(sampling.batch_size) : 0;
  if (settings.split_by_class && sampling.held_out > 0 &&
      train.samples <= SplitOrder::most_samples) {
    sampling.split = split_order_of(train, sampling.held_out, settings.seed);
  }
  return sampling;
}

/// How the inputs of a data set are scaled, and which of the ways that is.
std::pair<Normalizer, Normalization> scaling_of(const DataSettings& settings, const Dataset& train,
                                                const FeatureStatistics& features) {
  if (train.is_sparse() && keeps_rows_sparse(train)) {
    Normalizer scaling = features.scaling(settings.normalize);
    scaling.clip = scaling.is_identity() || settings.choose_scaling ? 0 : settings.clip_features;
    return {std::move(scaling), settings.normalize};
  }
  const std::vector<bool> scaled = FeatureEncoding(train.schema).scaled_inputs();
  const bool is_common = settings.choose_scaling && features.are_of_one_kind() &&
                         std::find(scaled.begin(), scaled.end(), false) == scaled.end();
  const Normalization kind = is_common                 ? Normalization::common
                             : settings.choose_scaling ? Normalization::standard
                                                       : settings.normalize;
  Normalizer normalizer = features.normalizer(kind, scaled);
  if (!normalizer.is_identity()) {
    normalizer.clip = !settings.choose_scaling ? settings.clip_features
                      : is_common              ? 0
                                               : usual_clip;
  }
  return {std::move(normalizer), kind};
}

/// Collective over `world`: what follows from the samples that are trained on: the scaling of
/// weights, targets and features, and what missing values become.
void adapt_to_samples(const Communicator& world, const DataSettings& settings, TrainingData& data) {
  const Sampler& sampler = data.sampler;
  advise(data.train.values, MappedAccess::in_order);
  scale_weights(world, data.train, sampler);
  scale_targets(world, data.train, sampler);
  fill_with_medians(world, data.train, data.held.get(), sampler);
  const FeatureStatistics features =
      statistics(world, data.train, data.held.get(),
                 [&sampler](std::uint64_t i) { return sampler.is_training(i); });
  std::tie(data.normalizer, data.normalization) =
      agree(world, [&] { return scaling_of(settings, data.train, features); });
  data.largest_feature = features.largest(data.normalizer);
  fill_with_means(data.train.schema, features);
  advise(data.train.values, MappedAccess::at_random);  // from now on by batches
}

/// Collective over the grid's world: shares what each node's leader has read, and checks that all
/// nodes have read the same.
std::tuple<Dataset, DataDigest, std::shared_ptr<const HeldRows>> place(
    const RankGrid& grid, std::optional<Dataset> read_by_leader, Placement placement) {
  const Communicator& world = grid.world();
  Node& node = grid.node();
  if (placement != Placement::job) {
    Dataset data = share_dataset(world, node, std::move(read_by_leader), grid.has_split_nodes());
    DataDigest digest = digest_of(node.ranks(), data);
    check_same_everywhere(world, node.ranks(), digest, data.origin);
    return {std::move(data), std::move(digest), nullptr};
  }
  const DataDigest own = read_by_leader ? digest_of(*read_by_leader) : DataDigest{};
  check_same_everywhere(world, node.ranks(), own,
                        read_by_leader ? read_by_leader->origin : std::string());
  agree(world, [&] {
    if (read_by_leader) {
      keep_rows(*read_by_leader, part_of_node(grid, read_by_leader->samples));
    }
  });
  Dataset data = share_dataset(world, node, std::move(read_by_leader), grid.has_split_nodes());
  auto held = std::make_shared<const HeldRows>(grid, *data.held);
  DataDigest digest = digest_of(*held, data);
  return {std::move(data), std::move(digest), std::move(held)};
}

}  // namespace

ReadOptions read_options_of(const DataSettings& settings, bool wide) {
  ReadOptions options;
  options.task = settings.task;
  options.label_column = settings.label_column;
  options.label_separator = settings.label_separator;
  options.weight_column = settings.weight_column;
  options.header = settings.csv_header;
  options.columns = settings.columns;
  options.missing = settings.missing;
  options.max_categories = settings.max_categories;
  options.drop_unlabelled = settings.drop_unlabelled;
  options.wide = wide;
  return options;
}

std::size_t TrainingData::features_bytes() const {
  return train.values.size() + train.value_columns.size();
}

std::size_t TrainingData::window_bytes() const {
  if (!held) {
    return 0;
  }
  const RowUnits units(train);
  const auto of_samples = [&](std::size_t count) {
    return units.before(train.samples) * units.bytes() / std::max<std::size_t>(train.samples, 1) *
           count;
  };
  const std::size_t kept = sparse_rows ? 1 : held->nodes();  // sparse: each node gets whole batches
  const std::size_t window = std::min(placement.window_bytes + of_samples(batch_size) / kept,
                                      of_samples(sampler.training_samples()) / kept);
  // Two that arrive and one that leaves; of the validation samples, one of each.
  return 3 * window + 2 * of_samples(sampler.validation_samples()) / held->nodes();
}

std::size_t TrainingData::bytes() const {
  const auto of = [](const Dataset& d) {
    return d.values.size() + d.row_offsets.size() + d.value_columns.size() + d.labels.size() +
           d.target_rows.size() + d.weights.size();
  };
  return of(train) + (test ? of(*test) : 0);
}

void check_finite(const Communicator& world, const Dataset& data, const HeldRows* held) {
  const bool whole_numbers =
      visit_element(data.element, [](auto x) { return std::is_integral_v<decltype(x)>; });
  if (!whole_numbers) {
    (void)statistics(world, data, held, [](std::uint64_t) { return true; });
  }
}

TrainingData load_training_data(const DataSettings& given, const RankGrid& grid,
                                const LoadOptions& options) {
  const Communicator& world = grid.world();
  Node& node = grid.node();
  const NodeCores cores = NodeCores::find(node.ranks());
  const std::size_t threads =
      options.threads == 0 ? cores.node : options.threads * static_cast<std::size_t>(node.size());
  std::optional<Parts> parts = agree(
      world,
      [&] {
        check_streams({given.data, given.test_data}, grid.domains());
        if (!node.is_leader()) {
          return std::optional<Parts>();
        }
        const BorrowedCores borrowed(cores, threads);
        return given.placement == Placement::disk
                   ? std::optional(parts_on_disk(given, options.wide, {}))
                   : std::optional(read_parts(given, options.wide));
      },
      Waiting::asleep);
  const bool has_test =
      world.all_reduce<std::int64_t>(parts && parts->test ? 1 : 0, Reduction::max) != 0;
  PlacementChoice choice = choose_placement(given, grid, parts ? feature_bytes(parts->train) : 0);
  if (choice.placement == Placement::disk) {
    choice.file = put_on_disk(world, given, options.wide, parts);
  }
  SharedParts shared;
  shared.placement = choice;
  std::tie(shared.train, shared.digest, shared.held) =
      place(grid, parts ? std::optional(std::move(parts->train)) : std::nullopt, choice.placement);
  if (has_test) {
    shared.test.emplace();
    std::tie(*shared.test, std::ignore, shared.held_test) =
        place(grid, parts ? std::move(parts->test) : std::nullopt, choice.placement);
  }
  parts.reset();
  return make_training_data(std::move(shared), given, grid, options);
}

TrainingData make_training_data(SharedParts parts, const DataSettings& given, const RankGrid& grid,
                                const LoadOptions& options) {
  const Communicator& world = grid.world();
  const DataFacts facts = facts_of(world, parts.train);
  const DataSettings settings =
      agree(world, [&] { return options.choose ? options.choose(facts) : given; });
  const Sampler::Settings sampling =
      agree(world, [&] { return sampling_of(settings, grid, parts.train, options); });
  TrainingData data{.train = std::move(parts.train),
                    .digest = std::move(parts.digest),
                    .test = std::move(parts.test),
                    .held = std::move(parts.held),
                    .held_test = std::move(parts.held_test),
                    .placement = std::move(parts.placement),
                    .normalizer = {},
                    .facts = facts,
                    .sampler = Sampler(sampling),
                    .batch_size = sampling.batch_size,
                    .logical_shards = sampling.logical_shards,
                    .sparse_rows = facts.sparse_rows,
                    .fold = {}};
  adapt_to_samples(world, settings, data);
  if (data.test) {
    data.test->target_scale = data.train.target_scale;
    if (!data.test->schema.empty()) {
      data.test->schema = data.train.schema;
    }
    check_finite(world, *data.test, data.held_test.get());
  }
  return data;
}

TrainingData data_of_fold(const TrainingData& whole, const DataSettings& settings,
                          const RankGrid& grid, Fold fold) {
  TrainingData data = whole;
  data.test.reset();
  data.fold = std::move(fold);
  agree(grid.world(), [&] {
    const std::size_t held_out = held_out_samples(settings, data.samples());
    data.use_split(grid, held_out, settings.seed);
  });
  adapt_to_samples(grid.world(), settings, data);
  return data;
}

void TrainingData::use_split(const RankGrid& grid, std::size_t held_out, std::uint64_t seed) {
  Sampler::Settings sampling;
  sampling.samples = samples();
  sampling.held_out = held_out;
  sampling.batch_size = std::min(batch_size, samples() - held_out);
  sampling.seed = seed;
  sampling.ranks = grid.data_shards();
  sampling.rank = grid.data_shard();
  sampling.logical_shards = logical_shards;
  sampling.split = split_order_of(train, held_out, seed, fold.rest.get());
  batch_size = sampling.batch_size;
  sampler = Sampler(sampling);
}

}  // namespace dnn
