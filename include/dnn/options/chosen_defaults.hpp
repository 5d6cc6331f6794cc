#pragma once

// Defaults that follow from the data: how long, in which steps and how regularized a network is
// trained where nobody says so.

#include <string>

#include "dnn/options/config.hpp"
#include "dnn/store/data_facts.hpp"
#include "dnn/store/training_data.hpp"
#include "dnn/train/length_search.hpp"

namespace dnn {

/// Whether the data choose the option's value in `config`: it is one of those that
/// choose_defaults sets, nobody has given it, and --defaults is auto.
[[nodiscard]] bool is_open(const Config& config, const std::string& option);

/// Gives the open options of `config` the values that suit data of these facts, and notes in
/// `config.chosen` what was chosen and why. All follows from the facts and the options given, never
/// from the ranks. What depends on the kind of the features stays open, see choose_by_kind.
void choose_defaults(Config& config, const DataFacts& facts);

/// The same for what follows from the features of `data` as they were loaded: notes their scaling,
/// and chooses dropout and label smoothing.
void choose_by_kind(Config& config, const TrainingData& data);

/// Collective over the grid's world: finds the number of epochs on config.length_splits splits of
/// the data, see find_length, and sets it.
FoundLength find_and_use_length(Config& config, RankGrid& grid, const ModelPlan& plan,
                                const TrainingData& data);

/// How uneven the classes are, and the option that helps; empty where the commonest one has less
/// than 20 times the samples of the rarest, or where classes are weighted.
[[nodiscard]] std::string uneven_classes(const Config& config, const DataFacts& facts);

}  // namespace dnn
