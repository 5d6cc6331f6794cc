#include "dnn/train/cross_validation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <thread>
#include <utility>

#include "dnn/comm/collective_error.hpp"
#include "dnn/comm/node.hpp"
#include "dnn/core/error.hpp"
#include "dnn/core/exact_sum.hpp"
#include "dnn/parallel/make_exchange.hpp"
#include "dnn/report/reporter.hpp"
#include "dnn/train/length_search.hpp"
#include "dnn/train/trainer.hpp"

namespace dnn {

namespace {

/// Bytes of names that are no UTF-8 become question marks rather than an exception.
std::string to_text(const FoldResult& fold) {
  return fold.to_json().dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

/// Throws InputError where no sample that the fold leaves out counts.
void check_weights(const TrainingData& data) {
  if (!data.train.has_weights()) {
    return;
  }
  const auto weights = data.train.weights.as<double>();
  ExactSum sum;
  for (const std::uint32_t sample : *data.fold.left_out) {
    sum += weights[sample];
  }
  if (!(sum.value() > 0)) {
    throw InputError(fmt::format(
        "{}: the weight of every sample left out is 0, so that there is nothing to judge by; use "
        "fewer --folds, or another --seed",
        data.train.origin));
  }
}

/// Adds what a network says of samples, in the data's unit.
template <class T>
void keep_outputs(const Normalizer& target_scale, std::span<const std::uint64_t> samples,
                  MatrixView<const T> outputs, OutOfFold& kept) {
  kept.samples.insert(kept.samples.end(), samples.begin(), samples.end());
  for (std::size_t s = 0; s < outputs.rows; ++s) {
    for (std::size_t j = 0; j < outputs.cols; ++j) {
      const auto value = static_cast<double>(outputs(s, j));
      kept.outputs.push_back(target_scale.is_identity()
                                 ? value
                                 : value / target_scale.scale[j] + target_scale.center[j]);
    }
  }
}

/// Collective over the grid's world: a fold from its data to its result.
template <class T>
void train_fold(const CrossValidation& what, std::size_t fold, RankGrid& grid,
                const ModelPlan& plan, OutOfFold& result) {
  TrainerSettings settings = without_checkpoints(what.settings);
  TrainingData data = data_of_fold(what.data, settings, grid, Fold::of(result.fold_of, fold));
  agree(grid.world(), [&] { check_weights(data); });
  if (what.length_splits > 0) {
    FoundLength found = find_length<T>(settings, grid, plan, data, what.length_splits);
    settings.epochs = found.epochs;
    data.train.label_thresholds = std::move(found.label_thresholds);
  }
  Reporter silent(Reporter::Mode::silent);
  Trainer<T> trainer(settings, grid, plan, data, silent);
  trainer.run();
  trainer.use_best();
  Confusion confusion;  // asks for all figures
  result.folds[fold].epochs = trainer.result().epochs.size();
  result.folds[fold].evaluation = trainer.final_evaluation(
      confusion, nullptr, [&](std::span<const std::uint64_t> samples, MatrixView<const T> outputs) {
        keep_outputs<T>(data.train.target_scale, samples, outputs, result);
      });
  result.label_thresholds.resize(result.folds.size());
  result.label_thresholds[fold] = trainer.label_thresholds();
}

/// Collective over the grid's world: the same, and errors name the fold.
template <class T>
void train_named_fold(const CrossValidation& what, std::size_t fold, RankGrid& grid,
                      const ModelPlan& plan, OutOfFold& result) {
  try {
    train_fold<T>(what, fold, grid, plan, result);
  } catch (const AgreedError& error) {
    throw AgreedError(fmt::format("cross-validation, fold {} of {}: {}", fold + 1,
                                  what.settings.folds, error.what()),
                      error.fault());
  }
}

/// Collective over the grid's world: returns once all groups are done, which may take much longer
/// than --stall-timeout allows. A rank of this node that is stuck is found while the node's ranks
/// wait for each other; those of other nodes are found there.
void wait_for_groups(const RankGrid& grid) {
  const Communicator& world = grid.world();
  grid.node().ranks().sleeping_barrier();
  double done = 1;
  Request all_done = world.begin_all_reduce(std::span(&done, 1), Reduction::min);
  while (!all_done.test()) {
    world.heartbeat().begin(Activity::evaluating);  // waiting for other nodes is no standstill
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

/// Collective over the grid's world: the folds from `first` on, each by one of `groups` groups of
/// ranks.
template <class T>
void train_side_by_side(const CrossValidation& what, std::size_t first, std::size_t groups,
                        RankGrid& grid, OutOfFold& result) {
  const Communicator& world = grid.world();
  const auto ranks = static_cast<std::size_t>(world.size());
  std::size_t own = 0;
  while (part_of(ranks, groups, own).end <= static_cast<std::size_t>(world.rank())) {
    ++own;
  }
  std::optional<AgreedError> failure;
  try {
    const Communicator group = world.split(static_cast<int>(own));
    Node node(group);
    {
      RankGrid group_grid(group, node, 1, grid.domain());
      ModelPlan plan = what.plan;
      plan.exchange = choose_exchange(plan.exchange_settings, group_grid.data_group(),
                                      group_grid.data_domain(), plan.part.size() * sizeof(T));
      train_named_fold<T>(what, first + own, group_grid, plan, result);
      group_grid.close();
    }
    node.close();
  } catch (const AgreedError& error) {
    failure = error;  // agreed in the group alone
  }
  wait_for_groups(grid);
  throw_if_any_agreed(world, failure);
  for (std::size_t g = 0; g < groups; ++g) {
    FoldResult& fold = result.folds[first + g];
    const auto root = static_cast<int>(part_of(ranks, groups, g).begin);
    fold =
        FoldResult::from_json(nlohmann::ordered_json::parse(world.broadcast(to_text(fold), root)));
  }
}

}  // namespace

std::vector<Figure> FoldResult::all_figures() const {
  std::vector<Figure> all = {{"loss", evaluation.loss}};
  if (evaluation.accuracy >= 0) {
    all.push_back({"accuracy", evaluation.accuracy});
  }
  if (evaluation.top5_accuracy >= 0) {
    all.push_back({"top5_accuracy", evaluation.top5_accuracy});
  }
  all.insert(all.end(), evaluation.figures.begin(), evaluation.figures.end());
  return all;
}

nlohmann::ordered_json FoldResult::to_json() const {
  nlohmann::ordered_json json = {{"epochs", epochs}};
  json.update(evaluation.to_json());
  return json;
}

FoldResult FoldResult::from_json(const nlohmann::ordered_json& json) {
  nlohmann::ordered_json rest = json;
  rest.erase("epochs");
  return {json.at("epochs").get<std::size_t>(), Evaluation::from_json(rest)};
}

std::vector<FoldSpread> spread_of(const std::vector<FoldResult>& folds) {
  std::vector<std::string> names;
  std::vector<std::vector<double>> values;
  for (const FoldResult& fold : folds) {
    for (const Figure& figure : fold.all_figures()) {
      const auto found = std::find(names.begin(), names.end(), figure.name);
      const auto place = static_cast<std::size_t>(found - names.begin());
      if (found == names.end()) {
        names.push_back(figure.name);
        values.emplace_back();
      }
      values[place].push_back(figure.value);
    }
  }
  std::vector<FoldSpread> spread;
  for (std::size_t i = 0; i < names.size(); ++i) {
    spread.push_back({names[i], MeanAndDeviation::of(values[i])});
  }
  return spread;
}

std::size_t folds_at_a_time(std::size_t left, std::size_t ranks, bool side_by_side) {
  return side_by_side ? std::min(left, ranks) : 1;
}

template <class T>
OutOfFold cross_validate(const CrossValidation& what, RankGrid& grid,
                         const std::function<void(std::size_t fold, const FoldResult&)>& done) {
  const std::size_t folds = what.settings.folds;
  OutOfFold result{std::vector<FoldResult>(folds), agree(grid.world(), [&] {
                     return fold_numbers(what.data.train, folds, what.settings.seed);
                   })};
  const auto ranks = static_cast<std::size_t>(grid.world().size());
  for (std::size_t first = 0; first < folds;) {
    const std::size_t groups = folds_at_a_time(folds - first, ranks, what.side_by_side);
    if (groups == 1) {
      train_named_fold<T>(what, first, grid, what.plan, result);
    } else {
      train_side_by_side<T>(what, first, groups, grid, result);
    }
    for (std::size_t g = 0; g < groups; ++g) {
      done(first + g, result.folds[first + g]);
    }
    first += groups;
  }
  return result;
}

template OutOfFold cross_validate<float>(
    const CrossValidation&, RankGrid&, const std::function<void(std::size_t, const FoldResult&)>&);
template OutOfFold cross_validate<double>(
    const CrossValidation&, RankGrid&, const std::function<void(std::size_t, const FoldResult&)>&);

}  // namespace dnn
