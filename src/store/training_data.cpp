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
#include "dnn/core/available_memory.hpp"
#include "dnn/core/error.hpp"
#include "dnn/data/feature_encoding.hpp"
#include "dnn/data/feature_statistics.hpp"
#include "dnn/data/mapped_access.hpp"
#include "dnn/data/sparse_batch.hpp"
#include "dnn/store/dataset_description.hpp"
#include "dnn/store/leaving_index.hpp"
#include "dnn/store/missing_values.hpp"
#include "dnn/store/sample_weights.hpp"
#include "dnn/store/shared_dataset.hpp"
#include "dnn/store/statistics.hpp"
#include "dnn/store/target_scale.hpp"

namespace dnn {

namespace {

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
  Normalizer normalizer = features.normalizer(kind, scaled, train.feature_names);
  if (!normalizer.is_identity()) {
    normalizer.clip = !settings.choose_scaling ? settings.clip_features
                      : is_common              ? 0
                                               : usual_clip;
  }
  return {std::move(normalizer), kind};
}

void advise_features(const Dataset& data, MappedAccess access) {
  advise(data.values, access);
  advise(data.value_columns, access);
}

/// Collective over `world`: what follows from the samples that are trained on and count: the
/// scaling of weights, targets and features, and what missing values become.
void adapt_to_samples(const Communicator& world, const DataSettings& settings, TrainingData& data) {
  const Sampler& sampler = data.sampler;
  advise_features(data.train, MappedAccess::in_order);
  scale_weights(world, data.train, sampler);
  scale_targets(world, data.train, sampler);
  fill_with_medians(world, data.train, data.held.get(), sampler);
  const FeatureStatistics features =
      statistics(world, data.train, data.held.get(),
                 [&](std::uint64_t i) { return sampler.is_training(i) && data.train.counts(i); });
  std::tie(data.normalizer, data.normalization) =
      agree(world, [&] { return scaling_of(settings, data.train, features); });
  data.largest_feature = features.largest(data.normalizer);
  fill_with_means(data.train.schema, features);
  advise_features(data.train, MappedAccess::at_random);  // from now on by batches
}

}  // namespace

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
  // The index of the training and the validation samples, and that of the samples that are judged
  // last: the test data, else the validation samples, else all again.
  std::size_t index = LeavingIndex::bytes(train.held->size());
  if (test) {
    index += LeavingIndex::bytes(test->held->size());
  } else if (sampler.validation_samples() == 0) {
    index *= 2;
  }
  // Two that arrive and one that leaves; of the validation samples, one of each.
  return 3 * window + 2 * of_samples(sampler.validation_samples()) / held->nodes() + index;
}

namespace {

/// Bytes of the arrays that are in mapped files, or of those that are not.
std::size_t bytes_of(const Dataset& data, bool mapped) {
  std::size_t bytes = 0;
  for (const auto array : arrays_of_dataset()) {
    bytes += (data.*array).mapped_path.empty() != mapped ? (data.*array).size() : 0;
  }
  return bytes;
}

}  // namespace

std::size_t TrainingData::memory_bytes() const {
  return bytes_of(train, false) + (test ? bytes_of(*test, false) : 0);
}

std::size_t TrainingData::mapped_bytes() const {
  return bytes_of(train, true) + (test ? bytes_of(*test, true) : 0);
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
  return make_training_data(read_and_place(given, options.wide, options.threads, grid), given, grid,
                            options);
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
                    .test_digest = std::move(parts.test_digest),
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
