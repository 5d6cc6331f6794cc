#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "dnn/data/normalizer.hpp"
#include "dnn/data/open_dataset.hpp"
#include "dnn/data/read_options.hpp"
#include "dnn/nn/initializer.hpp"
#include "dnn/optim/learning_rate.hpp"
#include "dnn/optim/optimizer.hpp"
#include "dnn/parallel/make_exchange.hpp"

namespace dnn {

/// bf16: float numbers, whose products are taken in bf16 with sums in float.
enum class Precision { f32, f64, bf16 };
enum class ClassWeights { none, balanced };
enum class Compression { none, bf16 };
/// What to do about an update whose loss or gradients are NaN or infinite.
enum class OnNonfinite { abort, skip, rollback };

/// Everything that a training run is told; the options of dnn_train, one to one.
struct Config {
  std::string data = builtin_digits_name;
  std::string test_data;
  std::string label_column;
  HeaderMode csv_header = HeaderMode::detect;
  double validation = 0.1;  ///< the fraction of the training data that is held out
  Normalization normalize = Normalization::standard;

  std::vector<std::size_t> hidden = {256, 128};
  Precision precision = Precision::f32;
  bool bf16_fallback =
      false;  ///< precision bf16: go on in float where the processor has no unit for it
  double dropout = 0;
  Initializer init = Initializer::he;

  std::size_t epochs = 20;
  std::optional<std::size_t> batch_size;  ///< global; none: default_batch_size, or the data's size
  OptimizerKind optimizer = OptimizerKind::adam;
  std::optional<double> lr;  ///< none: what suits the optimizer
  double momentum = 0.9;
  ScheduleKind lr_schedule = ScheduleKind::cosine;
  double warmup_epochs = 0;
  double lr_step_epochs = 10;
  double lr_step_factor = 0.1;
  double weight_decay = 0;
  double clip_norm = 0;  ///< the largest norm of all gradients together; 0: any
  double label_smoothing = 0;
  ClassWeights class_weights = ClassWeights::none;
  std::uint64_t seed = 1;
  std::size_t early_stop = 0;  ///< epochs without a better validation result; 0: never

  bool reproducible = false;                            ///< the same bits at any number of ranks
  std::size_t logical_shards = default_logical_shards;  ///< reproducible: that a batch is cut into
  std::size_t model_parallel = 1;                       ///< ranks that hold one network together
  /// Of the layer between two hidden layers, what each of these ranks must have where the two are
  /// split, see SplitRule; no option.
  std::size_t least_split_nodes = 128;
  /// reproducible: classes of a block (see Note [Class blocks]) at least, where there are several;
  /// no option.
  std::size_t least_block_classes = 1024;
  ExchangeKind exchange = ExchangeKind::automatic;
  double bucket_mib = 1;  ///< exchange overlap: MiB of gradients that travel together
  Compression compress = Compression::none;
  std::size_t threads = 0;  ///< of a rank; 0: what fits the cores

  std::string output;  ///< the run folder; empty: the first free runs/NNN
  bool overwrite = false;
  std::string job;                        ///< see Note [The same command again]; empty: none
  std::string resume = "auto";            ///< or never, or a run folder or checkpoint
  std::string checkpoint_every = "300s";  ///< see CheckpointInterval
  std::size_t keep = 3;                   ///< checkpoints
  /// All ranks write a state of so many bytes and more, see Note [Checkpoints in parts]; no option.
  std::size_t parallel_checkpoint_bytes = std::size_t{64} << 20;
  std::size_t least_part_bytes = std::size_t{1} << 20;  ///< that such a state has for each rank
  std::string time_limit;                               ///< see parse_time_limit; empty: none
  double stall_timeout = 300;                           ///< seconds without any progress; 0: any
  OnNonfinite on_nonfinite = OnNonfinite::abort;
  std::size_t verify_every = 1000;  ///< updates between comparisons of the replicas; 0: never
  bool quiet = false;
  bool dry_run = false;

  static constexpr std::size_t default_batch_size = 128;
  static constexpr std::size_t default_logical_shards = 8;
  /// η that suits the optimizer: 0.001 for adam and adamw, 0.1 for sgd, 0.02 with momentum.
  [[nodiscard]] double learning_rate() const;

  /// f32 or f64: the type of the parameters, in models and checkpoints as in memory.
  [[nodiscard]] Precision stored_precision() const {
    return precision == Precision::f64 ? Precision::f64 : Precision::f32;
  }
};

/// Throws InputError for a value no run could have, naming the option.
void check(const Config& config);

/// The configuration as JSON: option names and effective values, in the order of --help.
[[nodiscard]] nlohmann::ordered_json to_json(const Config& config);

/// The configuration as TOML text that --config takes back.
[[nodiscard]] std::string to_toml(const Config& config);

}  // namespace dnn
