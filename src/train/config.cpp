#include "dnn/train/config.hpp"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "dnn/core/error.hpp"
#include "dnn/train/checkpoint_interval.hpp"
#include "dnn/train/choices.hpp"
#include "dnn/train/config_file.hpp"

namespace dnn {

namespace {

template <class T>
std::string show(T value) {
  return nlohmann::json(value).dump();
}

void require(bool holds, const std::string& option, const std::string& value,
             const std::string& rule) {
  if (!holds) {
    throw InputError("--" + option + " " + value + ": " + rule);
  }
}

void require_at_least_0(const std::string& option, double value) {
  require(std::isfinite(value) && value >= 0, option, std::to_string(value),
          "must be a finite number, 0 or more");
}

void require_fraction(const std::string& option, double value) {
  require(value >= 0 && value < 1, option, std::to_string(value),
          "must be at least 0 and less than 1");
}

}  // namespace

double Config::learning_rate() const {
  if (lr) {
    return *lr;
  }
  switch (optimizer) {
    case OptimizerKind::sgd:
      return 0.1;
    case OptimizerKind::momentum:
    case OptimizerKind::nesterov:
      return 0.02;
    default:
      return 0.001;
  }
}

void check(const Config& config) {
  constexpr std::size_t widest = 100'000'000;
  for (const std::size_t width : config.hidden) {
    require(width >= 1 && width <= widest, "hidden", std::to_string(width),
            "a hidden layer has 1 to " + std::to_string(widest) + " nodes");
  }
  require(config.hidden.size() <= 1000, "hidden", std::to_string(config.hidden.size()) + " layers",
          "at most 1000 hidden layers");
  require(config.epochs >= 1 && config.epochs < (std::size_t{1} << 24), "epochs",
          std::to_string(config.epochs), "must be 1 to 16777215");
  require(config.batch_size.value_or(1) >= 1, "batch-size", "0", "must be at least 1");
  require(std::isfinite(config.learning_rate()) && config.learning_rate() > 0, "lr",
          std::to_string(config.learning_rate()), "must be a finite number above 0");
  require_fraction("validation", config.validation);
  require_fraction("dropout", config.dropout);
  require_fraction("label-smoothing", config.label_smoothing);
  require_fraction("momentum", config.momentum);
  require_at_least_0("warmup-epochs", config.warmup_epochs);
  require_at_least_0("weight-decay", config.weight_decay);
  require_at_least_0("clip-norm", config.clip_norm);
  require(config.warmup_epochs < static_cast<double>(config.epochs), "warmup-epochs",
          show(config.warmup_epochs), "must be less than the epochs");
  require(std::isfinite(config.lr_step_epochs) && config.lr_step_epochs > 0, "lr-step-epochs",
          std::to_string(config.lr_step_epochs), "must be above 0");
  require(config.lr_step_factor > 0 && config.lr_step_factor <= 1, "lr-step-factor",
          std::to_string(config.lr_step_factor), "must be above 0 and at most 1");
  require(config.logical_shards >= 1 && config.logical_shards <= 65536, "logical-shards",
          std::to_string(config.logical_shards), "must be 1 to 65536");
  require(config.reproducible || config.logical_shards == Config::default_logical_shards,
          "logical-shards", std::to_string(config.logical_shards),
          "is part of --reproducible; add that, or leave it away");
  require(!config.reproducible || config.precision != Precision::bf16, "precision",
          word_for(config.precision),
          "depends on the number of threads, so it cannot be --reproducible; use float or double");
  require(!config.reproducible || config.compress == Compression::none, "compress",
          word_for(config.compress),
          "depends on which ranks share a node, so it cannot be --reproducible");
  require(config.model_parallel >= 1, "model-parallel", "0", "must be at least 1");
  require(config.bucket_mib > 0 && config.bucket_mib <= 4096, "bucket-mib", show(config.bucket_mib),
          "must be above 0 and at most 4096");
  require(config.compress == Compression::none || config.precision != Precision::f64, "compress",
          word_for(config.compress), "compresses float gradients; use --precision float");
  require(config.threads <= 1024, "threads", std::to_string(config.threads), "must be 0 to 1024");
  require(config.early_stop == 0 || config.validation > 0, "early-stop",
          std::to_string(config.early_stop),
          "needs a validation set to judge by; set --validation above 0");
  require(!config.resume.empty(), "resume", "",
          "must be auto, never, a run folder or a checkpoint");
  require(std::isfinite(config.stall_timeout) &&
              (config.stall_timeout == 0 || config.stall_timeout >= 1),
          "stall-timeout", show(config.stall_timeout), "must be 0 (never) or at least 1 second");
  require(config.on_nonfinite != OnNonfinite::rollback ||
              CheckpointInterval::parse(config.checkpoint_every).unit !=
                  CheckpointInterval::Unit::never,
          "on-nonfinite", "rollback",
          "needs checkpoints to go back to; leave --checkpoint-every off away");
  require(config.keep >= 1, "keep", std::to_string(config.keep), "must be at least 1");
  (void)CheckpointInterval::parse(config.checkpoint_every);
  if (!config.time_limit.empty()) {
    (void)parse_time_limit(config.time_limit);
  }
}

nlohmann::ordered_json to_json(const Config& config) {
  return {{"data", config.data},
          {"test-data", config.test_data},
          {"label-column", config.label_column},
          {"csv-header", word_for(config.csv_header)},
          {"validation", config.validation},
          {"normalize", word_for(config.normalize)},
          {"hidden", config.hidden},
          {"precision", word_for(config.precision)},
          {"bf16-fallback", config.bf16_fallback},
          {"dropout", config.dropout},
          {"init", word_for(config.init)},
          {"epochs", config.epochs},
          {"batch-size", config.batch_size.value_or(Config::default_batch_size)},
          {"optimizer", word_for(config.optimizer)},
          {"lr", config.learning_rate()},
          {"momentum", config.momentum},
          {"lr-schedule", word_for(config.lr_schedule)},
          {"warmup-epochs", config.warmup_epochs},
          {"lr-step-epochs", config.lr_step_epochs},
          {"lr-step-factor", config.lr_step_factor},
          {"weight-decay", config.weight_decay},
          {"clip-norm", config.clip_norm},
          {"label-smoothing", config.label_smoothing},
          {"class-weights", word_for(config.class_weights)},
          {"seed", config.seed},
          {"early-stop", config.early_stop},
          {"reproducible", config.reproducible},
          {"logical-shards", config.logical_shards},
          {"model-parallel", config.model_parallel},
          {"exchange", word_for(config.exchange)},
          {"bucket-mib", config.bucket_mib},
          {"compress", word_for(config.compress)},
          {"threads", config.threads},
          {"output", config.output},
          {"overwrite", config.overwrite},
          {"job", config.job},
          {"resume", config.resume},
          {"checkpoint-every", config.checkpoint_every},
          {"keep", config.keep},
          {"time-limit", config.time_limit},
          {"stall-timeout", config.stall_timeout},
          {"on-nonfinite", word_for(config.on_nonfinite)},
          {"verify-every", config.verify_every},
          {"quiet", config.quiet},
          {"dry-run", config.dry_run}};
}

namespace {

/// JSON's numbers, truth values and arrays of them are TOML's as well.
std::string toml_value(const nlohmann::ordered_json& value) {
  // TOML's integers are signed.
  const bool is_too_large = value.is_number_unsigned() &&
                            value.get<std::uint64_t>() > std::numeric_limits<std::int64_t>::max();
  return value.is_string() ? toml_string(value.get<std::string>())
         : is_too_large    ? '"' + value.dump() + '"'
                           : value.dump();
}

}  // namespace

std::string to_toml(const Config& config) {
  const nlohmann::ordered_json values = to_json(config);
  std::string text;
  for (const auto& [key, value] : values.items()) {
    // An unset batch size is the data's where they are few; the default said aloud would be an
    // error.
    const bool unset = key == "batch-size" && !config.batch_size;
    text += (unset ? "# " : "") + key + " = " + toml_value(value) + "\n";
  }
  return text;
}

}  // namespace dnn
