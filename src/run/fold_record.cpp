#include "dnn/run/fold_record.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "dnn/core/atomic_file.hpp"
#include "dnn/core/printable.hpp"
#include "dnn/report/reporter.hpp"

namespace dnn {

namespace {

using Json = nlohmann::ordered_json;

std::string describe_figure(const FoldSpread& spread) {
  const auto& [mean, deviation] = spread.over_folds;
  const std::string name = printable_name(spread.name);
  if (spread.name.ends_with("accuracy")) {
    return fmt::format("{} {:.2f} % +- {:.2f}", name, 100 * mean, 100 * deviation);
  }
  return fmt::format("{} {:.4g} +- {:.2g}", name, mean, deviation);
}

}  // namespace

Json to_json(const std::vector<FoldResult>& folds) {
  Json mean = Json::object();
  Json deviation = Json::object();
  for (const FoldSpread& spread : spread_of(folds)) {
    mean[spread.name] = spread.over_folds.mean;
    deviation[spread.name] = spread.over_folds.deviation;
  }
  Json by_fold = Json::array();
  for (const FoldResult& fold : folds) {
    by_fold.push_back(fold.to_json());
  }
  return {{"folds", folds.size()},
          {"mean", std::move(mean)},
          {"deviation", std::move(deviation)},
          {"by_fold", std::move(by_fold)}};
}

std::string describe_folds(const Config& config, const RunPlan& plan, const TrainingData& data) {
  const auto ranks = static_cast<std::size_t>(plan.ranks);
  const std::size_t groups = folds_at_a_time(config.folds, ranks, folds_go_side_by_side(config));
  const std::size_t least = data.train.samples / config.folds;
  const std::size_t most = (data.train.samples + config.folds - 1) / config.folds;
  const std::string sizes = least == most
                                ? with_commas(least)
                                : fmt::format("{} to {}", with_commas(least), with_commas(most));
  return fmt::format("folds:    {}, each leaves out {} samples; {}", with_commas(config.folds),
                     sizes,
                     groups == 1 ? "one after another, on all ranks"
                                 : fmt::format("{} at a time, each on its own ranks", groups));
}

std::string describe_fold(std::size_t fold, std::size_t count, const FoldResult& result) {
  return fmt::format("fold {} of {}: {} on {} samples left out, {} epoch{}", fold + 1, count,
                     result.evaluation.in_words(), with_commas(result.evaluation.samples),
                     with_commas(result.epochs), result.epochs == 1 ? "" : "s");
}

std::string describe_spread(const std::vector<FoldResult>& folds) {
  constexpr std::size_t most = 8;
  const std::vector<FoldSpread> spread = spread_of(folds);
  std::string text;
  for (std::size_t i = 0; i < std::min(most, spread.size()); ++i) {
    text += (text.empty() ? "" : ", ") + describe_figure(spread[i]);
  }
  return fmt::format("over {} folds, on samples left out: {}", folds.size(), text);
}

void write_fold_record(const RunFolder& folder, const Config& config,
                       const std::vector<FoldResult>& folds) {
  Json record = to_json(folds);
  record["run_epochs"] = config.epochs;
  write_file_atomically(folder.folds(),
                        record.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

std::optional<std::vector<FoldResult>> read_fold_record(const RunFolder& folder,
                                                        const Config& config) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(folder.folds(), error) ||
      !std::filesystem::is_regular_file(folder.out_of_fold(), error)) {
    return std::nullopt;
  }
  try {
    std::ifstream file(folder.folds());
    std::vector<FoldResult> folds;
    const Json record = Json::parse(file);
    for (const Json& fold : record.at("by_fold")) {
      folds.push_back(FoldResult::from_json(fold));
    }
    const bool is_of_run = folds.size() == config.folds && record.at("run_epochs") == config.epochs;
    return is_of_run ? std::optional(folds) : std::nullopt;
  } catch (const Json::exception&) {
    return std::nullopt;  // they are computed again
  }
}

}  // namespace dnn
