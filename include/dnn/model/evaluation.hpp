#pragma once

// The metrics of an evaluation: what models and summaries record.

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

namespace dnn {

/// A figure that a task is judged by, as "rmse": see make_figures.
struct Figure {
  std::string name;
  double value = 0;

  bool operator==(const Figure&) const = default;
};

/// A mean loss for the screen: "0.1234"; "4.3e+35" from 1,000,000 on.
[[nodiscard]] std::string loss_text(double loss);

/// What a model does on a set of samples, counted over all ranks.
struct Evaluation {
  double loss = 0;      ///< the task's mean loss, without label smoothing, class weights and Huber
  double accuracy = 0;  ///< the part of the samples whose largest logit is their label's; -1: the
                        ///< task has no such thing
  std::uint64_t samples = 0;
  /// The part of the samples whose label's logit is one of the 5 largest; -1 where nobody asked.
  double top5_accuracy = -1;
  std::vector<Figure> figures = {};  ///< the task's

  /// For the screen: "loss 0.1234 accuracy 97.00 %", "loss 0.1234 r2 0.8901 rmse 3.21".
  [[nodiscard]] std::string in_words() const;

  /// All that is known, in the order: loss, accuracy, top5_accuracy, figures, samples. NaN is null.
  [[nodiscard]] nlohmann::ordered_json to_json() const;
  /// The same back. Throws nlohmann::json::exception for anything else.
  [[nodiscard]] static Evaluation from_json(const nlohmann::ordered_json& json);
};

/// How often samples of a class (first) were taken for a class (second), where that is not never.
using Confusion = std::map<std::pair<std::int32_t, std::int32_t>, std::uint64_t>;

}  // namespace dnn
