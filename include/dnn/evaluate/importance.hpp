#pragma once

// Which columns of the data a trained network needs.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "dnn/comm/rank_grid.hpp"
#include "dnn/evaluate/evaluator.hpp"
#include "dnn/nn/network.hpp"
#include "dnn/nn/parameter_layout.hpp"
#include "dnn/store/training_data.hpp"

namespace dnn {

struct ImportanceSettings {
  std::uint64_t seed = 1;
  /// How many samples may go through the network, about; a few for each column do in any case.
  std::uint64_t passes = 20'000;
  std::size_t max_rows = 256;  ///< samples at a time, at most what the network can take
};

/// How much worse a network predicts without what a column says.
struct Importance {
  struct Column {
    std::string name;
    double loss = 0;                ///< how much the mean loss grows, the mean over the shuffles
    double least = 0, largest = 0;  ///< of the shuffles
    double accuracy = 0;            ///< how much the accuracy falls; 0 where the task has none
  };

  std::string left_out;  ///< why nothing was computed; empty: it was
  std::size_t samples = 0;
  std::size_t shuffles = 0;  ///< of each column
  double loss = 0;           ///< of the samples as they are
  double accuracy = -1;      ///< so too; -1: the task has none
  std::vector<Column> columns;

  [[nodiscard]] nlohmann::ordered_json to_json() const;
  /// The columns that count most, in a line: "x (loss +0.41), y (loss +0.12)".
  [[nodiscard]] std::string in_words() const;
};

/// Collective over the grid's world: predicts samples with one column at a time shuffled among them
/// (Breiman, "Random Forests", 2001; Fisher et al., JMLR 20, 2019). A column is a column of the
/// table, not an input that it is encoded into: a category moves as a whole. For tables of up to
/// 1,000 columns, and other dense data of up to 100; at most 2,000 samples and 5 shuffles. The
/// result has the same bits at any number of ranks, since samples and shuffles are drawn from the
/// seed and sums are exact. `part`: what this rank holds of the network.
template <class T>
[[nodiscard]] Importance permutation_importance(const RankGrid& grid, const ParameterLayout& part,
                                                Network<T>& network, const TrainingData& data,
                                                const JudgedSamples& judged,
                                                const ImportanceSettings& settings);

}  // namespace dnn
