#include "dnn/run/run_report.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>

#include "dnn/core/available_memory.hpp"
#include "dnn/core/printable.hpp"
#include "dnn/data/sparse_batch.hpp"
#include "dnn/options/choices.hpp"
#include "dnn/options/chosen_defaults.hpp"
#include "dnn/report/reporter.hpp"
#include "dnn/run/fold_record.hpp"

namespace dnn {

namespace {

std::string mebibytes(std::size_t bytes) {
  return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1 << 20));
}

template <class Count>
std::string plural(Count count, const char* word) {
  return fmt::format("{} {}{}", with_commas(static_cast<std::uint64_t>(count)), word,
                     count == 1 ? "" : "s");
}

/// `text` as one word of a shell's command.
std::string shell_word(const std::string& text) {
  const bool is_plain = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_-./=+:,@%").find(c) != std::string_view::npos;
  });
  if (is_plain) {
    return text;
  }
  std::string word = "'";
  for (const char c : text) {
    word += c == '\'' ? "'\\''" : std::string(1, c);
  }
  return word + '\'';
}

/// "accuracy 97.00 % (loss 0.1234", "r2 0.89, rmse 3.21, mae 2.10 (loss 0.1234".
std::string describe_evaluation(const Evaluation& evaluation) {
  if (evaluation.accuracy >= 0) {
    return fmt::format("accuracy {:.2f} % (loss {}", 100 * evaluation.accuracy,
                       loss_text(evaluation.loss));
  }
  constexpr std::size_t most = 8;
  std::string text;
  for (std::size_t i = 0; i < std::min(most, evaluation.figures.size()); ++i) {
    const Figure& figure = evaluation.figures[i];
    text +=
        fmt::format("{}{} {:.4g}", i == 0 ? "" : ", ", printable_name(figure.name), figure.value);
  }
  return fmt::format("{} (loss {}", text, loss_text(evaluation.loss));
}

/// Whether the ranks with most shards take more than a tenth longer than the mean.
bool is_uneven(std::size_t shards, std::size_t ranks) {
  const std::size_t most = (shards + ranks - 1) / ranks;
  return 10 * most * ranks > 11 * shards;
}

std::string describe_ranks(const RunPlan& plan) {
  return fmt::format(
      "ranks:    {} on {}{}{}, {} each; exchange {}: {}", plural(plan.ranks, "rank"),
      plural(plan.nodes, "node"),
      plan.domains > 0 ? " in " + plural(plan.domains, "NUMA domain") : std::string(),
      plan.model_ranks > 1
          ? fmt::format(", {} data x {} model shards", plan.data_shards(), plan.model_ranks)
          : std::string(),
      plural(plan.threads, "thread"), word_for(plan.exchange.kind), plan.exchange.reason);
}

/// How far the bits of the model depend on the ranks.
std::string describe_bits(const RunPlan& plan, const Config& config, const TrainingData& data) {
  if (config.precision == Precision::bf16) {
    return "at other numbers of ranks the same model to rounding (--precision bf16)";
  }
  if (config.compress != Compression::none) {
    return "at other numbers of ranks the same model to rounding (--compress)";
  }
  if (plan.exchange.kind == ExchangeKind::allreduce && plan.data_shards() > 2) {
    return "at other numbers of ranks the same model to rounding, in MPI's order "
           "(--exchange allreduce)";
  }
  if (config.split_hidden && plan.model_ranks > 1) {
    return "at another --model-parallel the same model to rounding (--split-hidden)";
  }
  return fmt::format("the same at any number of ranks; {} a batch",
                     plural(data.logical_shards, "logical shard"));
}

/// What makes this run slower than it could be.
void warn_of_ranks(const RunPlan& plan, const TrainingData& data, std::vector<std::string>& lines) {
  if (plan.shared_cores) {
    lines.emplace_back(
        "warning:  ranks and threads are more than the cores this job may use; fewer ranks, or "
        "--threads 1, are faster");
  }
  if (plan.crossing_groups > 0) {
    lines.push_back(fmt::format(
        "warning:  {} of --model-parallel {} cross nodes; a multiple of so many ranks on each node "
        "is faster",
        plural(plan.crossing_groups, "model group"), plan.model_ranks));
  }
  const std::size_t blocks = plan.part.class_blocks();
  if (blocks > 0 && blocks < plan.model_ranks) {
    lines.push_back(fmt::format(
        "warning:  the classes are split in {}, so that only {} of {} model shards hold any",
        plural(blocks, "block"), blocks, plan.model_ranks));
  }
  const std::size_t shards = data.logical_shards;
  const std::size_t ranks = plan.data_shards();
  if (shards > 0 && ranks > shards) {
    lines.push_back(fmt::format(
        "warning:  {} more than logical shards, which have no work; use fewer ranks or a larger "
        "--batch-size (--logical-shards gives more shards, and another model)",
        plural((ranks - shards) * plan.model_ranks, "rank")));
  } else if (is_uneven(shards, ranks)) {
    lines.push_back(fmt::format(
        "note:     some ranks have {} of a batch and some {}; a number of ranks that divides {} is "
        "faster",
        plural(1 + shards / ranks, "shard"), shards / ranks, shards));
  }
}

/// Where the features are stored; empty: in the memory of every node.
std::string describe_placement(const RunPlan& plan, const TrainingData& data) {
  std::string text;
  switch (data.placement.placement) {
    case Placement::job:
      text = fmt::format("job: {} nodes share out the features; this node holds {}", plan.nodes,
                         size_text(data.features_bytes()));
      break;
    case Placement::disk:
      text = fmt::format("disk: features are read from {}", data.placement.file);
      break;
    default:
      return data.placement.why.empty() ? text : "node: " + data.placement.why;
  }
  return text + (data.placement.why.empty() ? "" : " (" + data.placement.why + ")");
}

}  // namespace

std::vector<std::string> describe(const RunPlan& plan, const Config& config,
                                  const TrainingData& data) {
  std::vector<std::string> lines = {describe_ranks(plan),
                                    "bits:     " + describe_bits(plan, config, data)};
  warn_of_ranks(plan, data, lines);
  lines.push_back(fmt::format(
      "data:     {}: {}, {}; {} samples to train, {} to validate, {} to test; features {}",
      config.data, plural(data.train.features, "feature"), describe_targets(data.train),
      with_commas(data.sampler.training_samples()), with_commas(data.sampler.validation_samples()),
      with_commas(data.test ? data.test->samples : 0), word_for(config.normalize)));
  if (const std::string place = describe_placement(plan, data); !place.empty()) {
    lines.push_back("place:    " + place);
  }
  for (const Dataset* set : {&data.train, data.test ? &*data.test : nullptr}) {
    for (std::size_t i = 0; set != nullptr && i < set->notes.size(); ++i) {
      lines.push_back("note:     " + set->notes[i]);
    }
  }
  if (const std::string uneven = uneven_classes(config, data.facts); !uneven.empty()) {
    lines.push_back("note:     " + uneven);
  }
  if (data.sparse_rows) {
    lines.push_back(fmt::format(
        "sparse:   {:.1f} of {} features a sample; an update moves W of its batch's features alone",
        stored_inputs(data.train), with_commas(data.train.features)));
  }
  const bool falls_back = config.precision == Precision::bf16 && plan.products == ProductKind::full;
  lines.push_back(
      fmt::format("network:  {}, {} parameters, {}{}", fmt::join(plan.layout.widths(), "-"),
                  with_commas(plan.layout.parameter_count()), word_for(config.precision),
                  falls_back ? " (in float: a processor has no bf16 unit)" : ""));
  lines.push_back(fmt::format("training: {}, learning rate {:g} ({}), batch {} over all ranks, {}",
                              word_for(config.optimizer), config.learning_rate(),
                              word_for(config.lr_schedule), with_commas(data.batch_size),
                              plural(config.epochs, "epoch")));
  if (config.folds > 0) {
    lines.push_back(describe_folds(config, plan, data));
  }
  for (const ChosenValue& chosen : config.chosen) {
    lines.push_back(
        fmt::format("chosen:   --{} {} ({})", chosen.option, chosen.value, chosen.reason));
  }
  return lines;
}

std::vector<std::string> describe_shares(const RunPlan& plan, const TrainingData& data) {
  std::vector<std::string> lines;
  const std::size_t shards = plan.data_shards();
  const char* const name = plan.model_ranks > 1 ? "shard" : "rank";
  lines.push_back(fmt::format("updates:  {} an epoch", with_commas(data.sampler.steps())));
  for (std::size_t shard = 0; shard < shards; ++shard) {
    if (shards > 16 && shard == 8) {
      lines.emplace_back("          ...");
      shard = shards - 2;
      continue;
    }
    std::size_t samples = 0;
    for (std::size_t step = 0; step < data.sampler.steps(); ++step) {
      samples += data.sampler.share(step, shard).size();
    }
    lines.push_back(fmt::format("{} {}:   {} samples a batch, {} an epoch", name, shard,
                                with_commas(data.sampler.share(0, shard).size()),
                                with_commas(samples)));
  }
  lines.push_back(
      fmt::format("memory:   about {} a rank, {}and {} of data once a node{}; disk {}",
                  mebibytes(plan.rank_bytes),
                  plan.root_bytes > 0 ? mebibytes(plan.root_bytes) + " more on rank 0 to save, "
                                      : std::string(),
                  mebibytes(plan.node_bytes),
                  plan.mapped_bytes > 0 ? " (" + mebibytes(plan.mapped_bytes) +
                                              " more are read from files, cached as memory allows)"
                                        : std::string(),
                  mebibytes(plan.disk_bytes)));
  return lines;
}

std::string describe_length(const FoundLength& found) {
  const std::string accuracy =
      found.accuracy < 0 ? std::string()
                         : fmt::format("accuracy {:.2f} % +- {:.2f}, ", 100 * found.accuracy,
                                       100 * found.accuracy_deviation);
  return fmt::format(
      "repeated splits: {}loss {} +- {} on samples held out ({} splits, a fifth each) "
      "after {}; now {} on all samples",
      accuracy, loss_text(found.loss), loss_text(found.loss_deviation), found.splits,
      plural(found.best_epochs, "epoch"), found.epochs);
}

std::string evaluated_set(const TrainingData& data) {
  if (data.test) {
    return "test";
  }
  return data.sampler.validation_samples() > 0 ? "validation" : "training";
}

std::vector<std::string> describe_result(const RunFolder& folder, const Config& config,
                                         const TrainingResult& result,
                                         const FinalFigures& figures) {
  std::vector<std::string> lines;
  if (result.stopped_early) {
    lines.push_back(
        fmt::format("stopped early: no lower validation loss in {} epochs", config.early_stop));
  }
  if (figures.length) {
    const FoundLength& found = *figures.length;
    const std::string accuracy = found.accuracy < 0
                                     ? std::string()
                                     : fmt::format("accuracy {:.2f} %, ", 100 * found.accuracy);
    lines.push_back(fmt::format(
        "on samples held out: {}loss {}, the mean of {} splits after {}{}", accuracy,
        loss_text(found.loss), found.splits, plural(found.best_epochs, "epoch"),
        found.epochs == found.best_epochs
            ? std::string()
            : fmt::format("; the model was trained for {}", plural(found.epochs, "epoch"))));
  }
  if (!figures.folds.empty()) {
    lines.push_back(describe_spread(figures.folds));
  }
  lines.push_back(fmt::format("{} {}, {} samples) with the model of epoch {}, the best",
                              figures.evaluated_on, describe_evaluation(figures.best),
                              with_commas(figures.best.samples), result.best_epoch));
  if (figures.best.accuracy >= 0 && !figures.best.figures.empty()) {
    std::string more;
    for (const Figure& figure : figures.best.figures) {
      more += fmt::format("{}{} {:.4f}", more.empty() ? "" : ", ", printable_name(figure.name),
                          figure.value);
    }
    lines.push_back("  " + more);
  }
  lines.push_back("model:   " + folder.best_model());
  lines.push_back("report:  " + folder.report() + "  (for a browser)");
  lines.push_back(
      fmt::format("files:   {}: summary.json, metrics.jsonl, {}", folder.path(),
                  figures.best.top5_accuracy >= 0 ? "confusion.csv, run.log" : "run.log"));
  lines.push_back(
      fmt::format("predict: dnn_predict --model {} --data FILE --output predictions.csv",
                  shell_word(folder.best_model())));
  return lines;
}

std::string how_to_resume(const Config& config, const RunFolder& folder) {
  std::string change;
  if (config.overwrite) {  // a job that dnn_run or a batch system names has another name next time
    change = " without --overwrite";
  }
  if (config.output.empty()) {
    change += (change.empty() ? " with --output " : ", with --output ") + shell_word(folder.path());
  }
  return fmt::format("repeat the command{} to resume", change);
}

}  // namespace dnn
