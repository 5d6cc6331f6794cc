#include "dnn/run/run_summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>

#include "dnn/comm/collective_error.hpp"
#include "dnn/core/atomic_file.hpp"
#include "dnn/core/available_memory.hpp"
#include "dnn/core/classic_text.hpp"
#include "dnn/core/error.hpp"
#include "dnn/core/messages.hpp"
#include "dnn/core/program_name.hpp"
#include "dnn/data/csv_text.hpp"
#include "dnn/data/table_schema_json.hpp"
#include "dnn/options/choices.hpp"
#include "dnn/options/chosen_defaults.hpp"
#include "dnn/report/report_page.hpp"
#include "dnn/report/run_record.hpp"
#include "dnn/run/fold_record.hpp"
#include "dnn/run/run_report.hpp"

namespace dnn {

namespace {

using Json = nlohmann::ordered_json;

/// Collective: the phase times of every rank, on rank 0.
Json gather_seconds(const Communicator& world, const PhaseSeconds& own) {
  const Json mine = {{"load", own.load},
                     {"compute", own.compute},
                     {"exchange", own.exchange},
                     {"update", own.update},
                     {"evaluation", own.evaluation}};
  Json all = Json::array();
  for (const std::string& text : world.gather(mine.dump(), 0)) {
    all.push_back(Json::parse(text));
  }
  return all;
}

/// Collective: a value of every rank, on rank 0.
Json gather_values(const Communicator& world, const Json& own) {
  Json all = Json::array();
  for (const std::string& text : world.gather(own.dump(), 0)) {
    all.push_back(Json::parse(text));
  }
  return all;
}

double samples_per_second(const TrainingResult& result) {
  double samples = 0;
  double seconds = 0;
  for (const EpochMetrics& epoch : result.epochs) {
    samples += static_cast<double>(epoch.train.samples);
    seconds += epoch.seconds;
  }
  return samples / seconds;
}

/// What a user may not expect of the run.
Json notes_of(const RunPlan& plan, const Config& config, const TrainingData& data) {
  Json notes = Json::array();
  for (const std::string& line : describe(plan, config, data)) {
    for (const char* prefix : {"warning:", "note:"}) {
      if (line.starts_with(prefix)) {
        notes.push_back(line.substr(line.find_first_not_of(' ', std::strlen(prefix))));
      }
    }
  }
  return notes;
}

/// A run whose report cannot be written has trained nevertheless.
void try_to_write_report(const RunFolder& folder, const Json& summary) {
  try {
    write_file_atomically(folder.report(), report_page({run_record(folder.path(), summary)}));
  } catch (const InputError& error) {
    complain(fmt::format(
        "dnn_train: warning: could not write the report: {}. Write it later with: dnn_model report "
        "{}",
        error.what(), folder.path()));
  }
}

}  // namespace

void write_summary(const Communicator& world, const RunFolder& folder, const Config& config,
                   const RunPlan& plan, const TrainingData& data, const TrainingResult& result,
                   const FinalFigures& figures) {
  const Json seconds = gather_seconds(world, result.seconds);
  const Json core_shares =
      gather_values(world, figures.core_share ? Json(*figures.core_share) : Json());
  const Json memory = gather_values(world, peak_memory());
  const Json planned = gather_values(world, plan.peak_bytes(world.is_root()));
  const Json base = gather_values(world, plan.base_bytes);
  const Json hosts = gather_values(world, host_name());
  agree(world, [&] {
    if (!world.is_root()) {
      return;
    }
    Json summary = {
        {"program", program_name},
        {"configuration", to_json(config)},
        {"data", to_json(figures.data)},
        {"ranks", plan.ranks},
        {"nodes", plan.nodes},
        {"numa_domains", plan.domains},
        {"threads", plan.threads},
        {"products", name_of_products(plan.products, config)},
        {"environment", plan.environment.to_json()},
        {"exchange", {{"used", word_for(plan.exchange.kind)}, {"reason", plan.exchange.reason}}},
        {"placement",
         {{"used", word_for(data.placement.placement)},
          {"reason", data.placement.why},
          {"file", data.placement.file},
          {"features_on_node", data.features_bytes()}}},
        {"task", word_for(data.train.task)},
        {"network", plan.layout.widths()},
        {"parameters", plan.layout.parameter_count()},
        {"batch_size", data.batch_size},
        {"sparse_rows", data.sparse_rows},
        {"training_samples", data.sampler.training_samples()},
        {"epochs_run", result.epochs.size()},
        {"stopped_early", result.stopped_early},
        {"best_epoch", result.best_epoch},
        {"final", result.epochs.back().to_json()},
        {"best", result.epochs[result.best_epoch - 1].to_json()},
        {"evaluated_on", figures.evaluated_on},
        {"evaluation_of_best", figures.best.to_json()},
        {"evaluation_of_last", figures.last.to_json()},
        {"nonfinite",
         {{"skipped_updates", result.skipped_updates}, {"rollbacks", result.rollbacks}}},
        {"notes", notes_of(plan, config, data)},
        {"samples_per_second", samples_per_second(result)},
        {"total_seconds", figures.total_seconds},
        {"importance_seconds", figures.importance_seconds},
        {"seconds_by_rank", seconds},
        {"host_by_rank", hosts},
        {"peak_memory_by_rank", memory},
        {"planned_memory",
         {{"rank", plan.rank_bytes},
          {"root", plan.root_bytes},
          {"node", plan.node_bytes},
          {"mapped", plan.mapped_bytes},
          {"before_data_by_rank", base},
          {"peak_by_rank", planned}}},
        {"core_share_by_rank", core_shares},
        {"checkpoints",
         {{"written", figures.checkpoints.written},
          {"failed", figures.checkpoints.failed},
          {"bytes", figures.checkpoints.bytes},
          {"stall_seconds", figures.checkpoint_stall_seconds},
          {"write_seconds", figures.checkpoints.write_seconds},
          {"resumed_from", figures.resumed_from}}},
        {"sha256_best", figures.best_sha256},
        {"sha256_last", figures.last_sha256}};
    if (figures.length) {
      const FoundLength& found = *figures.length;
      summary["repeated_splits"] = {
          {"splits", found.splits}, {"held_out_fraction", search_fraction},
          {"epochs", found.epochs}, {"best_epochs", found.best_epochs},
          {"loss", found.loss},     {"loss_deviation", found.loss_deviation}};
      if (found.accuracy >= 0) {
        summary["repeated_splits"]["accuracy"] = found.accuracy;
        summary["repeated_splits"]["accuracy_deviation"] = found.accuracy_deviation;
      }
    }
    for (std::size_t k = 0; k < figures.label_thresholds.size(); ++k) {
      summary["label_thresholds"][data.train.class_names[k]] = figures.label_thresholds[k];
    }
    if (!figures.folds.empty()) {
      summary["cross_validation"] = to_json(figures.folds);
    }
    if (const std::string uneven = uneven_classes(config, data.facts); !uneven.empty()) {
      summary["note"] = uneven;
    }
    if (!data.train.schema.empty()) {
      summary["table"] = to_json(data.train.schema);
    }
    try_to_write_report(folder, summary);
    write_file_atomically(folder.summary(),
                          summary.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  });
}

void write_evaluation(const Communicator& world, const RunFolder& folder,
                      const FinalFigures& figures, const Json& plots,
                      const Importance& importance) {
  agree(world, [&] {
    if (!world.is_root()) {
      return;
    }
    Json json = {{"set", figures.evaluated_on}, {"samples", figures.best.samples}};
    json.update(plots);
    json["importance"] = importance.to_json();
    write_file_atomically(folder.evaluation(),
                          json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
  });
}

void write_confusion(const Communicator& world, const RunFolder& folder,
                     const std::vector<std::string>& class_names, const Confusion& own) {
  ClassicOutput lines;
  for (const auto& [pair, count] : own) {
    lines << pair.first << ' ' << pair.second << ' ' << count << '\n';
  }
  Confusion all;
  for (const std::string& text : world.gather(lines.str(), 0)) {
    ClassicInput stream(text);
    Confusion::key_type pair;
    std::uint64_t count = 0;
    while (stream >> pair.first >> pair.second >> count) {
      all[pair] += count;
    }
  }
  agree(world, [&] {
    if (!world.is_root()) {
      return;
    }
    constexpr std::size_t most_columns = 1000;
    const auto classes = static_cast<std::int32_t>(class_names.size());
    std::string csv;
    if (class_names.size() > most_columns) {
      csv = "true,predicted,count\n";
      for (const auto& [pair, count] : all) {
        csv += spreadsheet_field(class_names[static_cast<std::size_t>(pair.first)]) + ',' +
               spreadsheet_field(class_names[static_cast<std::size_t>(pair.second)]) + ',' +
               std::to_string(count) + '\n';
      }
    } else {
      csv = "true\\predicted";
      for (const std::string& name : class_names) {
        csv += ',' + spreadsheet_field(name);
      }
      csv += '\n';
      for (std::int32_t row = 0; row < classes; ++row) {
        csv += spreadsheet_field(class_names[static_cast<std::size_t>(row)]);
        for (std::int32_t column = 0; column < classes; ++column) {
          const auto found = all.find({row, column});
          csv += ',' + std::to_string(found == all.end() ? 0 : found->second);
        }
        csv += '\n';
      }
    }
    write_file_atomically(folder.confusion(), csv);
  });
}

}  // namespace dnn
