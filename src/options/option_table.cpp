#include "dnn/options/option_table.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "dnn/checkpoint/checkpoint_interval.hpp"
#include "dnn/core/error.hpp"
#include "dnn/options/choices.hpp"
#include "dnn/options/option_rules.hpp"
#include "dnn/options/progress_options.hpp"

namespace dnn {

namespace {

using Json = nlohmann::ordered_json;
bool has_checkpoints(const Config& config) {
  return CheckpointInterval::parse(config.checkpoint_every).unit != CheckpointInterval::Unit::never;
}

bool learns_classes(const Config& config) {
  return config.task == Task::automatic || config.task == Task::classes;
}

std::vector<Option> data_options() {
  return {
      {"data", "Data", "PATH", &Config::data,
       "training data: a table of text (CSV and its relatives), a LIBSVM, NPY, NPZ or HDF5 file, "
       "compressed "
       "or in a zip or tar archive too; several tables or HDF5 files (b.csv,a.csv in that order, "
       "'part-*.csv' or their folder by name); a "
       "folder of IDX or NPY files; features.npy,labels.npy; arrays.npz:features,labels; "
       "file.h5:/features,/labels; - for standard input; or builtin:digits",
       Binding::machine},
      {"test-data", "Data", "PATH", &Config::test_data,
       "test data in any of these forms; default: the test part of the data folder, NPZ or "
       "HDF5 file",
       Binding::machine},
      {"data-access", "Data", "", words(&Config::data_access),
       "how several nodes read text: shared: all see the same files, of which each reads a part; "
       "local: each reads all of its own; auto: shared, where every file has the same size, time "
       "and inode number on all nodes",
       Binding::machine},
      {"task", "Data", "", words(&Config::task),
       "what is learnt: classes (one of several), labels (any of several: a column of 0 and 1 for "
       "each), numbers (regression: a column for each), distribution (a probability for each "
       "class: a column for each); auto: classes, where the label leaves no doubt"},
      {"label-column", "Data", "NAME|N", &Config::label_column,
       "column of the label (of several targets: their columns, with commas): a name from the "
       "header, a number from 1 (-1 is the last column), "
       "first or last; default: a column named label, class, target or y, else the only column of "
       "text, else the last column",
       Binding::machine},
      {"label-separator", "Data", "TEXT", &Config::label_separator,
       "task labels: what stands between the labels of a cell, where one column of text holds "
       "them; default: ';', '|' or ',', the first that occurs",
       Binding::model,
       rule([](const Config& c) { return c.label_separator.empty() || c.task == Task::labels; },
            "needs --task labels")},
      {"weight-column", "Data", "NAME|N", &Config::weight_column,
       "column of a table that says how much each sample counts in the loss, the gradients and the "
       "metrics (0 or more; scaled to a mean of 1); it is no feature, and test tables may lack it",
       Binding::machine},
      {"csv-header", "Data", "", words(&Config::csv_header),
       "whether the first line of a table names its columns", Binding::machine},
      {"columns", "Data", "KIND:NAME,...;...", &Config::columns,
       "what columns of a table are, where the program understands them otherwise: KIND is number, "
       "category, date, day-first-date, label, weight or ignore, NAME a name or number as for "
       "--label-column; a column whose name holds a comma is named by its number"},
      {"missing", "Data", "WORD,...", &Config::missing,
       "words that stand for a missing value in a table, as an empty cell does; '': no word does"},
      {"max-categories", "Data", "N", &Config::max_categories,
       "categories of a text column that get an input of their own, the commonest first; the "
       "others share one, and among more than 256 also the values of a single row",
       Binding::model, in_range(&Config::max_categories, 1, 1'000'000)},
      {"drop-unlabelled", "Data", "", &Config::drop_unlabelled,
       "leave out rows of a table that have no label"},
      {"placement", "Data", "", words(&Config::placement),
       "where features are stored: node (all of them in the memory of every node), job (the nodes "
       "share them out and send each other the rows of the next batches), disk (in a file on each "
       "node's disk, in --scratch, which later runs reuse); auto: node, job or, with --scratch, "
       "disk: the first that fits into memory. The model is the same",
       Binding::machine,
       rule([](const Config& c) { return c.placement != Placement::disk || !c.scratch.empty(); },
            "needs a folder on the node's disk: add --scratch DIR")},
      {"scratch", "Data", "DIR", &Config::scratch,
       "existing folder on a disk of each node, for the file of --placement disk; the file stays "
       "there",
       Binding::machine},
      {"validation", "Data", "FRACTION", &Config::validation,
       "fraction of the training data held out for validation, chosen by the seed", Binding::model,
       fraction(&Config::validation)},
      {"folds", "Data", "K", &Config::folds,
       "cross-validation, before the model of all samples is trained: K networks, each trained as "
       "the run is on all samples but one part of K, class by class, and judged by that part; the "
       "mean and deviation of their figures go to the screen and summary.json, what they say of "
       "each sample to out-of-fold.csv in the run folder; the folds have no checkpoints; 0: none",
       Binding::model,
       rule([](const Config& c) { return c.folds != 1; },
            "each fold needs others to train on; give at least 2, or 0 for no cross-validation")},
      {"normalize", "Data", "", words(&Config::normalize),
       "scaling of the features, by statistics of the training set: common (all by one mean and "
       "deviation), standard (each by its own), minmax (each to 0 to 1); sparse rows are divided "
       "only: by the deviation (standard) or the largest magnitude (minmax)",
       Binding::model,
       rule(
           [](const Config& c) {
             return c.clip_features == 0 || c.normalize != Normalization::none;
           },
           "leaves no deviations to clip features at; leave --clip-features out")},
      {"clip-features", "Data", "DEVIATIONS", &Config::clip_features,
       "largest magnitude of a scaled feature, in training and prediction; larger ones count as "
       "this one; 0: no limit; not for sparse rows",
       Binding::model,
       rule(
           [](const Config& c) {
             return c.clip_features == 0 ||
                    (std::isfinite(c.clip_features) && c.clip_features >= 1);
           },
           "must be 0 (no limit) or at least 1")},
  };
}

std::vector<Option> network_options() {
  constexpr std::size_t widest = 100'000'000;
  return {
      {"hidden", "Network", "N,N,...", &Config::hidden, "nodes of the hidden layers, first to last",
       Binding::model,
       both(rule([](const Config& c) { return c.hidden.size() <= 1000; },
                 "at most 1000 hidden layers"),
            rule(
                [](const Config& c) {
                  return std::ranges::all_of(
                      c.hidden, [](std::size_t nodes) { return nodes >= 1 && nodes <= widest; });
                },
                "a hidden layer has 1 to " + std::to_string(widest) + " nodes"))},
      {"precision", "Network", "", words(&Config::precision),
       "type of all numbers; bf16: float, with the operands of matrix products in bf16 (the model "
       "is then the same at other numbers of ranks and threads to rounding only)"},
      {"bf16-fallback", "Network", "", &Config::bf16_fallback,
       "with --precision bf16: train in float where a processor has no bf16 unit",
       Binding::machine},
      {"dropout", "Network", "RATE", &Config::dropout,
       "probability that a training step drops a hidden node", Binding::model,
       fraction(&Config::dropout)},
      {"init",
       "Network",
       "",
       words(&Config::init),
       "distribution of the initial weights; auto with plain defaults: xavier for the task "
       "numbers, else he; otherwise xavier",
       Binding::model,
       {},
       [](const Config& c) { return Json(word_for(c.initializer(c.task))); }},
  };
}

std::vector<Option> training_options() {
  return {
      {"defaults", "Training", "", words(&Config::defaults),
       "auto: the options marked auto follow from the training data where nobody gives them, and "
       "the run says what was chosen and why; plain: they are the same for all data "
       "(normalize standard, dropout 0, init he, epochs 20, batch-size 128, optimizer adam, "
       "lr-schedule cosine, weight-decay 0, average-weights 0, early-stop 0)"},
      {"epochs", "Training", "N", &Config::epochs,
       "passes over the training data; where they are chosen, training ends before where "
       "--early-stop "
       "says so",
       Binding::model, in_range(&Config::epochs, 1, (std::size_t{1} << 24) - 1)},
      {"batch-size", "Training", "N", &Config::batch_size,
       "samples of an update, over all ranks [plain: 128, or all samples if they are fewer]",
       Binding::model,
       rule([](const Config& c) { return c.batch_size.value_or(1) >= 1; }, "must be at least 1"),
       [](const Config& c) { return Json(c.batch_size.value_or(Config::default_batch_size)); }},
      {"optimizer", "Training", "", words(&Config::optimizer),
       "how gradients become updates; with sparse rows, weights of features that a batch does not "
       "store stay as they are"},
      {"lr", "Training", "RATE", &Config::lr,
       "learning rate [plain: adam, adamw: 0.001; sgd: 0.1; momentum, nesterov: 0.02]",
       Binding::model,
       rule(
           [](const Config& c) {
             return std::isfinite(c.learning_rate()) && c.learning_rate() > 0;
           },
           "must be a finite number above 0"),
       [](const Config& c) { return Json(c.learning_rate()); }},
      {"momentum", "Training", "FACTOR", &Config::momentum,
       "momentum of the optimizers momentum and nesterov", Binding::model,
       fraction(&Config::momentum)},
      {"lr-schedule", "Training", "", words(&Config::lr_schedule), "how the learning rate decays"},
      {"warmup-epochs", "Training", "N", &Config::warmup_epochs,
       "epochs in which the learning rate grows linearly from 0", Binding::model,
       both(at_least_0(&Config::warmup_epochs),
            rule([](const Config& c) { return c.warmup_epochs < static_cast<double>(c.epochs); },
                 "must be less than the epochs"))},
      {"lr-step-epochs", "Training", "N", &Config::lr_step_epochs,
       "step schedule: epochs between drops", Binding::model,
       rule([](const Config& c) { return std::isfinite(c.lr_step_epochs) && c.lr_step_epochs > 0; },
            "must be above 0")},
      {"lr-step-factor", "Training", "FACTOR", &Config::lr_step_factor,
       "step schedule: factor of the learning rate at each drop", Binding::model,
       rule([](const Config& c) { return c.lr_step_factor > 0 && c.lr_step_factor <= 1; },
            "must be above 0 and at most 1")},
      {"weight-decay", "Training", "FACTOR", &Config::weight_decay, "pull of the weights towards 0",
       Binding::model, at_least_0(&Config::weight_decay)},
      {"clip-norm", "Training", "NORM", &Config::clip_norm,
       "largest norm of all gradients together; larger gradients are scaled down; 0: no limit",
       Binding::model, at_least_0(&Config::clip_norm)},
      {"average-weights", "Training", "N", &Config::average_weights,
       "memory, in epochs, of the exponential moving average of the weights (EMA); the average is "
       "validated, saved and tested instead of the weights; 0: no average; not for sparse rows",
       Binding::model,
       both(at_least_0(&Config::average_weights),
            rule([](const Config& c) { return c.average_weights <= 1e6; },
                 "must be at most 1000000 epochs"))},
      {"label-smoothing", "Training", "FRACTION", &Config::label_smoothing,
       "part of a target that is spread over all classes", Binding::model,
       both(fraction(&Config::label_smoothing),
            rule([](const Config& c) { return c.label_smoothing == 0 || learns_classes(c); },
                 "needs --task classes"))},
      {"huber", "Training", "DELTA", &Config::huber,
       "task numbers: errors above DELTA, in deviations of the target, count linearly, not "
       "squared; "
       "0: all are squared",
       Binding::model,
       both(at_least_0(&Config::huber),
            rule([](const Config& c) { return c.huber == 0 || c.task == Task::numbers; },
                 "needs --task numbers"))},
      {"label-thresholds", "Training", "", words(&Config::label_thresholds),
       "task labels: the probability from which a label is given; auto: for each label the one "
       "with the largest F1 on samples held out (1/2 where none of them has the label); half: 1/2",
       Binding::job},
      {"class-weights", "Training", "", words(&Config::class_weights),
       "balanced: weight samples by the inverse of their class's frequency", Binding::model,
       rule(
           [](const Config& c) {
             return c.class_weights == ClassWeights::none || learns_classes(c);
           },
           "needs --task classes")},
      {"seed", "Training", "N", &Config::seed,
       "seed of the validation split, the initial weights, the order of samples and dropout"},
      {"early-stop", "Training", "N", &Config::early_stop,
       "stop after N epochs without a lower validation loss; 0: never", Binding::model,
       rule([](const Config& c) { return c.early_stop == 0 || c.validation > 0; },
            "needs a validation set; set --validation above 0")},
  };
}

std::vector<Option> rank_options() {
  return {
      {"logical-shards", "Ranks", "K", &Config::logical_shards,
       "parts of a batch whose gradients are summed in one fixed order; K is part of the model, "
       "and "
       "at most K ranks have work; 0: the largest power of two that leaves a part 16 samples",
       Binding::model,
       both(in_range(&Config::logical_shards, 0, 65536),
            rule([](const Config& c) { return c.logical_shards == 0 || has_fixed_order(c); },
                 "has no meaning with --precision bf16 or --compress, whose sums have no fixed "
                 "order"))},
      {"model-parallel", "Ranks", "M", &Config::model_parallel,
       "ranks that hold one network together, each its part of the classes and of wide hidden "
       "layers; must divide the number of ranks",
       Binding::machine,
       rule([](const Config& c) { return c.model_parallel >= 1; }, "must be at least 1")},
      {"split-hidden", "Ranks", "", &Config::split_hidden,
       "with --model-parallel: split pairs of wide hidden layers as well; the model is then the "
       "same "
       "at other M to rounding only",
       Binding::machine},
      {"exchange", "Ranks", "", words(&Config::exchange),
       "how gradients are summed over the ranks: node (in the memory that ranks of a node share), "
       "overlap (in pieces, during backward), tree (at once, after backward), allreduce "
       "(MPI_Allreduce: with more than two ranks, sums have MPI's order)",
       Binding::machine},
      {"domain", "Ranks", "", words(&Config::domain),
       "which ranks share one copy of the parameters: node (all ranks of a node), numa (ranks that "
       "are bound to cores of the same NUMA domain); auto: numa where all ranks are bound so",
       Binding::machine},
      {"bucket-mib", "Ranks", "MIB", &Config::bucket_mib,
       "exchange overlap: MiB of gradients that travel together", Binding::machine,
       rule([](const Config& c) { return c.bucket_mib > 0 && c.bucket_mib <= 4096; },
            "must be above 0 and at most 4096")},
      {"compress", "Ranks", "", words(&Config::compress),
       "bf16: gradients travel between nodes in half the bytes, with error feedback",
       Binding::model,
       rule(
           [](const Config& c) {
             return c.compress == Compression::none || c.precision != Precision::f64;
           },
           "compresses float gradients; use --precision float")},
      {"threads", "Ranks", "N", &Config::threads,
       "threads of each rank; 0: OMP_NUM_THREADS, or as many as fit the cores", Binding::machine,
       in_range(&Config::threads, 0, 1024)},
  };
}

std::vector<Option> run_options() {
  return {
      {"output", "Run", "DIR", &Config::output,
       "folder for the model, metrics and summary; default: the first free runs/NNN", Binding::job},
      {"overwrite", "Run", "", &Config::overwrite, "replace the run that the output folder holds",
       Binding::job},
      {"job", "Run", "NAME", &Config::job,
       "job name for restart scripts: a run started under this name is resumed, even with "
       "--overwrite or --resume never",
       Binding::job},
      {"resume", "Run", "auto|never|PATH", &Config::resume,
       "auto: resume the run of the output folder from its newest good checkpoint; never: do not "
       "(a folder that holds a run is refused without --overwrite); PATH: go on from this run "
       "folder or checkpoint, in --output",
       Binding::job,
       rule([](const Config& c) { return !c.resume.empty(); },
            "must be auto, never, a run folder or a checkpoint")},
      {"checkpoint-every", "Run", "N[steps]|Nepochs|Ns|off", &Config::checkpoint_every,
       "write a checkpoint after this many updates, epochs or seconds, and at the end; off: only "
       "when the run is stopped",
       Binding::job,
       [](const Config& c) {
         (void)CheckpointInterval::parse(c.checkpoint_every);  // throws
         return std::string();
       }},
      {"keep", "Run", "N", &Config::keep, "number of checkpoints that are kept", Binding::job,
       rule([](const Config& c) { return c.keep >= 1; }, "must be at least 1")},
      {"time-limit", "Run", "SECONDS|HH:MM:SS", &Config::time_limit,
       "stop after this time with a checkpoint, as on SIGTERM, and exit with code 75", Binding::job,
       [](const Config& c) {
         if (!c.time_limit.empty()) {
           (void)parse_time_limit(c.time_limit);  // throws
         }
         return std::string();
       }},
      {"stall-timeout", "Run", "SECONDS", &Config::stall_timeout,
       "seconds without progress on a rank after which the job ends so that it can be restarted; "
       "0 disables the limit",
       Binding::machine,
       rule(
           [](const Config& c) {
             return std::isfinite(c.stall_timeout) &&
                    (c.stall_timeout == 0 || c.stall_timeout >= 1);
           },
           "must be 0 (never) or at least 1 second")},
      {"on-nonfinite", "Run", "", words(&Config::on_nonfinite),
       "what to do about an update whose loss or gradients are NaN or infinite: abort (end the run "
       "with a checkpoint of the state before it), skip (leave the update out), rollback (return "
       "to "
       "the newest checkpoint and try once more; where there are no checkpoints, in --folds and in "
       "the search for the length of training: leave the update out); more than 10 such updates in "
       "a "
       "row, or 10 rollbacks, end the run",
       Binding::job,
       rule(
           [](const Config& c) {
             return c.on_nonfinite != OnNonfinite::rollback || has_checkpoints(c);
           },
           "needs checkpoints to go back to; leave --checkpoint-every off away")},
      {"verify-every", "Run", "N", &Config::verify_every,
       "updates between comparisons of the ranks' parameters, and of the gradients that all ranks "
       "compute of one logical shard; 0: the parameters only after each epoch and before each "
       "checkpoint, the gradients never",
       Binding::machine},
      {"importance", "Run", "", words(&Config::importance),
       "auto: at the end, find which columns of the data the model needs, for the report: predict "
       "up to 2,000 of the samples that the model is evaluated on (test, else held out, else "
       "training) with one column at a time shuffled (tables of up to 1,000 columns, other dense "
       "data of up to 100 features; about 1/200 of the time of training)",
       Binding::job},
      {"quiet", "Run", "", &Config::quiet, "print errors only", Binding::job},
      {"dry-run", "Run", "", &Config::dry_run,
       "check the configuration and the data, print what would run, and train nothing",
       Binding::job},
      {"explain-data", "Run", "PATH", &Config::explain_data,
       "print how these training data are understood (columns, kinds, missing values), and end",
       Binding::job},
  };
}

}  // namespace

std::span<const Option> option_table() {
  static const std::vector<Option> table = [] {
    std::vector<Option> all;
    for (const auto& group : {data_options(), network_options(), training_options(), rank_options(),
                              run_options(), progress_options()}) {
      all.insert(all.end(), group.begin(), group.end());
    }
    return all;
  }();
  return table;
}

Json value_of(const Option& option, const Config& config) {
  return std::visit(
      [&config](const auto& field) -> Json {
        using Field = std::remove_cvref_t<decltype(field)>;
        if constexpr (std::is_same_v<Field, WordField>) {
          return field.get(config);
        } else if constexpr (std::is_same_v<Field, std::optional<double> Config::*> ||
                             std::is_same_v<Field, std::optional<std::size_t> Config::*>) {
          return config.*field ? Json(*(config.*field)) : Json();
        } else {
          return config.*field;
        }
      },
      option.field);
}

std::string text_of(const Option& option, const Config& config) {
  return std::visit(
      [&config](const auto& field) -> std::string {
        using Field = std::remove_cvref_t<decltype(field)>;
        if constexpr (std::is_same_v<Field, WordField>) {
          return field.get(config);
        } else if constexpr (std::is_same_v<Field, std::optional<double> Config::*> ||
                             std::is_same_v<Field, std::optional<std::size_t> Config::*>) {
          return config.*field ? fmt::format("{}", *(config.*field)) : std::string();
        } else if constexpr (std::is_same_v<Field, std::vector<std::size_t> Config::*>) {
          return fmt::format("{}", fmt::join(config.*field, ","));
        } else {
          return fmt::format("{}", config.*field);
        }
      },
      option.field);
}

}  // namespace dnn
