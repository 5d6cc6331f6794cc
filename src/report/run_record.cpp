#include "dnn/report/run_record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <utility>

#include "dnn/checkpoint/checkpoint_folder.hpp"
#include "dnn/checkpoint/run_folder.hpp"
#include "dnn/core/error.hpp"
#include "dnn/core/text_file.hpp"
#include "dnn/report/class_figures.hpp"
#include "dnn/report/line_sample.hpp"
#include "dnn/report/step_curves.hpp"

namespace dnn {

namespace fs = std::filesystem;

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t most_epochs = 2000;
constexpr std::size_t most_table_columns = 1000;
constexpr std::size_t most_categories = 8;
constexpr std::size_t most_nonfinite = 100;
constexpr std::size_t most_folds = 1000;

Json parsed(const std::string& text, const std::string& origin) {
  Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) {
    throw InputError(origin + ": is damaged, it holds no JSON object");
  }
  return json;
}

Json json_of(const std::string& path) {
  const std::optional<std::string> text = contents_of(path);
  return text ? parsed(*text, path) : Json();
}

Json parsed_line(const std::string& path, std::size_t number, std::string_view text) {
  return parsed(std::string(text), fmt::format("{}: line {}", path, number));
}

/// The lines of metrics.jsonl, one an epoch; of many every so many-th, the best one and the last.
Json epochs_in(const std::string& path, const Json& summary, Json& notes) {
  std::optional<std::size_t> best;
  if (summary.is_object() && summary.value("best_epoch", Json()).is_number_unsigned()) {
    best = summary["best_epoch"].get<std::size_t>();
  }
  const LineSample sample = LineSample::of(path, most_epochs, best);
  Json epochs = Json::array();
  for (const LineSample::Line& line : sample.lines) {
    epochs.push_back(parsed_line(path, line.number, line.text));
  }
  if (epochs.size() < sample.count) {
    notes.push_back(fmt::format("The curves show {} of {} epochs; metrics.jsonl has all of them.",
                                epochs.size(), sample.count));
  }
  return epochs;
}

/// The first lines of nonfinite.jsonl.
Json nonfinite_in(const std::string& path, Json& notes) {
  Json reports = Json::array();
  const std::size_t count = for_each_line(path, [&](std::string_view line) {
    if (reports.size() < most_nonfinite) {
      reports.push_back(parsed_line(path, reports.size() + 1, line));
    }
  });
  if (reports.size() < count) {
    notes.push_back(fmt::format("Of {} reports in nonfinite.jsonl, the first {} are shown.", count,
                                most_nonfinite));
  }
  return reports;
}

/// A table's schema without what only a reader of data needs.
void shorten_table(Json& record, Json& notes) {
  const auto table = record.find("table");
  if (table == record.end() || !table->is_object() || !table->contains("columns")) {
    return;
  }
  Json& columns = (*table)["columns"];
  if (columns.size() > most_table_columns) {
    notes.push_back(fmt::format("The table below shows {} of {} columns; summary.json has all.",
                                most_table_columns, columns.size()));
    columns.erase(columns.begin() + most_table_columns, columns.end());
  }
  for (Json& column : columns) {
    column.erase("counts");
    if (const auto found = column.find("categories"); found != column.end()) {
      const std::size_t count = found->size();
      if (count > most_categories) {
        found->erase(found->begin() + most_categories, found->end());
      }
      column["category_count"] = count;
    }
  }
}

/// The figures of a run's folds, taken out of its summary; of a run that is not finished, from
/// folds.json, where it is of this run: one that trains for longer computes its folds again. Null
/// where there are none.
Json take_folds(const RunFolder& folder, Json& summary, const Json& started, Json& notes) {
  Json folds;
  if (summary.is_object() && summary.contains("cross_validation")) {
    folds = std::move(summary["cross_validation"]);
    summary.erase("cross_validation");
  } else if (summary.is_null()) {
    folds = json_of(folder.folds());
    const Json options = started.is_object() ? started.value("configuration", Json()) : Json();
    const bool is_of_run = folds.is_object() && options.is_object() &&
                           folds.value("folds", Json()) == options.value("folds", Json()) &&
                           folds.value("run_epochs", Json()) == options.value("epochs", Json());
    folds = is_of_run ? std::move(folds) : Json();
  }
  if (folds.is_object() && folds["by_fold"].size() > most_folds) {
    notes.push_back(fmt::format("Of {} folds, the first {} are shown; folds.json has all of them.",
                                folds["by_fold"].size(), most_folds));
    folds["by_fold"].erase(folds["by_fold"].begin() + most_folds, folds["by_fold"].end());
  }
  return folds;
}

Json checkpoints_in(const std::string& path) {
  Json list = Json::array();
  for (const std::string& file : CheckpointFolder(path).all_files()) {
    std::error_code error;
    const std::uintmax_t size = fs::file_size(file, error);
    if (!error) {
      list.push_back({{"name", fs::path(file).filename().string()}, {"bytes", size}});
    }
  }
  std::sort(list.begin(), list.end(),
            [](const Json& a, const Json& b) { return a.at("name") < b.at("name"); });
  return list;
}

}  // namespace

Json run_record(const std::string& path, Json summary) {
  const RunFolder folder(path);
  Json notes = Json::array();
  Json started = summary.is_null() ? json_of(folder.started()) : Json();
  Json epochs = epochs_in(folder.metrics(), summary, notes);
  if (summary.is_null() && started.is_null() && epochs.empty()) {
    throw InputError(
        fmt::format("{}: no run is in this folder; name one that dnn_train wrote (it "
                    "has summary.json, or run.json while it trains)",
                    path));
  }
  for (Json* record : {&summary, &started}) {
    if (record->is_object()) {
      shorten_table(*record, notes);
    }
  }
  Json folds = take_folds(folder, summary, started, notes);
  const std::optional<std::string> confusion = contents_of(folder.confusion());
  Json steps = step_curves(folder.steps());
  if (steps.is_object() && steps["update"].size() < steps["count"]) {
    notes.push_back(fmt::format("The curves by update show {} of {} lines of steps.jsonl.",
                                steps["update"].size(), steps["count"].get<std::size_t>()));
  }
  Json nonfinite = nonfinite_in(folder.nonfinite(), notes);
  return {{"name", path},
          {"summary", std::move(summary)},
          {"started", std::move(started)},
          {"epochs", std::move(epochs)},
          {"steps", std::move(steps)},
          {"folds", std::move(folds)},
          {"evaluation", json_of(folder.evaluation())},
          {"classes", confusion ? class_figures(*confusion, folder.confusion()) : Json()},
          {"checkpoints", checkpoints_in(folder.checkpoints())},
          {"nonfinite", std::move(nonfinite)},
          {"notes", std::move(notes)}};
}

Json run_record(const std::string& folder) {
  return run_record(folder, json_of(RunFolder(folder).summary()));
}

}  // namespace dnn
