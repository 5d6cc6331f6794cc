#include "dnn/train/options.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>
#include <type_traits>

#include "dnn/core/error.hpp"
#include "dnn/train/choices.hpp"
#include "dnn/train/command_line.hpp"

#ifndef DNN_VERSION
#error "DNN_VERSION must be defined by the build"
#endif

namespace dnn {

namespace {

/// Adds an option that takes one of the words of an enumeration.
template <class Enum>
void add_choice(CLI::App& app, const std::string& name, Enum& value, const std::string& help,
                const std::string& group) {
  std::string words;
  for (const auto& entry : choices<Enum>()) {
    words += (words.empty() ? "" : "|") + entry.first;
  }
  const auto read = [&value, name, words](const std::string& word) {
    const auto found = choices<Enum>().find(word);
    if (found == choices<Enum>().end()) {
      throw CLI::ValidationError(name, "'" + word + "' is none of " + words);
    }
    value = found->second;
  };
  app.add_option_function<std::string>(name, read, help)
      ->type_name(words)
      ->default_str(word_for(value))
      ->group(group);
}

/// Refuses what CLI11 would take for 0: a key with nothing after its equals sign.
const CLI::Validator& not_empty() {
  static const CLI::Validator validator(
      [](const std::string& text) { return text.empty() ? "a number is missing" : std::string(); },
      "", "not empty");
  return validator;
}

/// Refuses what CLI11 would wrap around into a huge unsigned number.
const CLI::Validator& not_negative() {
  static const CLI::Validator validator(
      [](const std::string& text) {
        return text.starts_with('-') ? "'" + text + "' is no number of 0 or more" : std::string();
      },
      "", "not negative");
  return validator;
}

class OptionAdder {
 public:
  OptionAdder(CLI::App& app, std::string group) : app_(app), group_(std::move(group)) {}

  template <class T>
  void value(const std::string& name, T& target, const std::string& type, const std::string& help) {
    CLI::Option* option = app_.add_option(name, target, help);
    option->type_name(type)->capture_default_str()->group(group_);
    refuse_no_number<T>(option);
  }
  template <class T>
  void optional(const std::string& name, std::optional<T>& target, const std::string& type,
                const std::string& help) {
    CLI::Option* option = app_.add_option(name, target, help)->type_name(type)->group(group_);
    refuse_no_number<T>(option);
  }
  template <class Enum>
  void choice(const std::string& name, Enum& target, const std::string& help) {
    add_choice(app_, name, target, help, group_);
  }
  void flag(const std::string& name, bool& target, const std::string& help) {
    app_.add_flag(name, target, help)->group(group_);
  }

 private:
  template <class T>
  static void refuse_no_number(CLI::Option* option) {
    if constexpr (std::is_arithmetic_v<T>) {
      option->check(not_empty());
    }
    if constexpr (std::is_unsigned_v<T>) {
      option->check(not_negative());
    }
  }

  CLI::App& app_;
  std::string group_;
};

void add_data_options(CLI::App& app, Config& config) {
  OptionAdder add(app, "Data");
  add.value("--data", config.data, "PATH",
            "training data: a folder of IDX or NPY files, a CSV, LIBSVM or NPY file (.gz too), "
            "features.npy,labels.npy, or builtin:digits");
  add.value("--test-data", config.test_data, "PATH",
            "test data, in any of these forms; default: the folder's own test files");
  add.value("--label-column", config.label_column, "NAME|N",
            "the label's column: a name from the header, a number from 1 (or -1, the last), first "
            "or last; default: a column named label, class, target or y, else the last");
  add.choice("--csv-header", config.csv_header,
             "whether a CSV file's first line names its columns");
  add.value("--validation", config.validation, "FRACTION",
            "the part of the training data that is held out to judge by, chosen by the seed");
  add.choice("--normalize", config.normalize,
             "how features are scaled, by the training set's statistics");
}

void add_network_options(CLI::App& app, Config& config) {
  OptionAdder add(app, "Network");
  app.add_option("--hidden", config.hidden, "nodes of the hidden layers, first to last")
      ->type_name("N,N,...")
      ->delimiter(',')
      ->check(not_negative())
      ->default_str("256,128")
      ->group("Network");
  add.choice("--precision", config.precision,
             "the type of all numbers; bf16: float, with the matrix products' operands in bf16");
  add.flag("--bf16-fallback", config.bf16_fallback,
           "precision bf16: train in float where a processor has no unit for bf16");
  add.value("--dropout", config.dropout, "RATE", "how many hidden nodes a training step drops");
  add.choice("--init", config.init, "the distribution of the initial weights");
}

void add_training_options(CLI::App& app, Config& config) {
  OptionAdder add(app, "Training");
  add.value("--epochs", config.epochs, "N", "passes over the training data");
  add.optional("--batch-size", config.batch_size, "N",
               "samples of an update, over all ranks [128, or all there are]");
  add.choice("--optimizer", config.optimizer, "how gradients become updates");
  add.optional("--lr", config.lr, "RATE",
               "learning rate [adam, adamw: 0.001; sgd: 0.1; momentum, nesterov: 0.02]");
  add.value("--momentum", config.momentum, "FACTOR", "of the optimizers momentum and nesterov");
  add.choice("--lr-schedule", config.lr_schedule, "how the learning rate goes down");
  add.value("--warmup-epochs", config.warmup_epochs, "N", "epochs of linear climb to the rate");
  add.value("--lr-step-epochs", config.lr_step_epochs, "N", "step schedule: epochs between drops");
  add.value("--lr-step-factor", config.lr_step_factor, "FACTOR",
            "step schedule: what a drop multiplies the rate by");
  add.value("--weight-decay", config.weight_decay, "FACTOR", "pull of the weights towards 0");
  add.value("--clip-norm", config.clip_norm, "NORM",
            "the most that the norm of all gradients may be; 0: any");
  add.value("--label-smoothing", config.label_smoothing, "FRACTION",
            "the part of a target that is spread over all classes");
  add.choice("--class-weights", config.class_weights,
             "balanced: a sample counts by the inverse of its class's frequency");
  add.value("--seed", config.seed, "N",
            "of the split, the initial weights, the order of samples and dropout");
  add.value("--early-stop", config.early_stop, "N",
            "stop after N epochs without a better validation result; 0: never");
}

void add_run_options(CLI::App& app, Config& config) {
  OptionAdder ranks(app, "Ranks");
  ranks.flag("--reproducible", config.reproducible,
             "the same bits at any number of ranks, of threads and of nodes, and at any "
             "--model-parallel");
  ranks.value("--logical-shards", config.logical_shards, "K",
              "reproducible: how many parts a batch is computed in, whoever computes them; part of "
              "what the model is, and the most ranks that have work");
  ranks.value("--model-parallel", config.model_parallel, "M",
              "how many ranks hold one network together, each its part of the classes and of wide "
              "hidden layers; must divide the number of ranks");
  ranks.choice(
      "--exchange", config.exchange,
      "how the ranks' gradients are combined: allreduce (one MPI_Allreduce), node (ranks of "
      "a node share memory), overlap (gradients travel while backward goes on)");
  ranks.value("--bucket-mib", config.bucket_mib, "MIB",
              "exchange overlap: how much of the gradients travels together");
  ranks.choice("--compress", config.compress,
               "bf16: gradients travel between nodes in half the bytes, with error feedback");
  ranks.value("--threads", config.threads, "N",
              "threads of each rank; 0: OMP_NUM_THREADS, or as many as fit the cores");
  OptionAdder add(app, "Run");
  add.value("--output", config.output, "DIR",
            "folder for the model, metrics and summary; default: the first free runs/NNN");
  add.flag("--overwrite", config.overwrite, "replace the run that the output folder holds");
  add.value("--job", config.job, "NAME",
            "for scripts that start a job again: a run that was begun under this name goes on, "
            "whatever --overwrite and --resume say");
  add.value("--resume", config.resume, "auto|never|PATH",
            "auto: go on from the newest good checkpoint of the output folder, if it holds a run; "
            "or from a run folder or checkpoint");
  add.value("--checkpoint-every", config.checkpoint_every, "N[steps]|Nepochs|Ns|off",
            "a checkpoint after so many updates, epochs or seconds, and at the end; off: only when "
            "the run is stopped");
  add.value("--keep", config.keep, "N", "how many checkpoints stay");
  add.value("--time-limit", config.time_limit, "SECONDS|HH:MM:SS",
            "stop after this time with a checkpoint, as on SIGTERM, and exit with code 75");
  add.value("--stall-timeout", config.stall_timeout, "SECONDS",
            "end the job, to be started again, when no rank has got on for so long (a stopped "
            "process, a dead disk); 0: wait for ever");
  add.choice("--on-nonfinite", config.on_nonfinite,
             "where an update's loss or gradients are NaN or infinite: end the run with a "
             "checkpoint of the state before it, leave the update out, or go back to the newest "
             "checkpoint and try once more");
  add.value("--verify-every", config.verify_every, "N",
            "updates between comparisons of the ranks' parameters; 0: once an epoch and before "
            "each checkpoint only");
  add.flag("--quiet", config.quiet, "print errors only");
  add.flag("--dry-run", config.dry_run,
           "check the configuration and the data, print what would run, and train nothing");
}

/// What of a run's settings is not about computing: a replay has none of it.
const std::vector<std::string>& settings_of_running() {
  static const std::vector<std::string> names = {
      "output", "overwrite",  "job",   "resume",  "checkpoint-every",
      "keep",   "time-limit", "quiet", "dry-run", "on-nonfinite"};
  return names;
}

/// Gives every option that nobody has given the value that `settings` has for it.
void apply_settings(CLI::App& app, const std::string& settings) {
  const auto json = nlohmann::ordered_json::parse(settings);
  const auto word = [](const nlohmann::ordered_json& value) {
    return value.is_string() ? value.get<std::string>() : value.dump();
  };
  const std::vector<std::string>& left_out = settings_of_running();
  for (const auto& [key, value] : json.items()) {
    CLI::Option* option = app.get_option_no_throw("--" + key);
    if (option == nullptr) {
      throw InputError("the run had a setting that this version does not know: " + key);
    }
    // The default size is the data's where they are few; said aloud, that would be an error.
    const bool unset = key == "batch-size" && value == Config::default_batch_size;
    if (unset || option->count() > 0 ||
        std::find(left_out.begin(), left_out.end(), key) != left_out.end()) {
      continue;
    }
    std::vector<std::string> words;
    for (const auto& element : value.is_array() ? value : nlohmann::ordered_json::array({value})) {
      words.push_back(word(element));
    }
    try {
      option->add_result(words);
      option->run_callback();
    } catch (const CLI::ParseError& error) {
      throw InputError("the run's setting " + key + ": " + error.what());
    }
  }
}

/// The replay that the command line asks for, if any.
std::optional<ReplayRequest> replay_of(const CLI::App& app, const ReplayRequest& given,
                                       const Config& config) {
  const bool wanted = app.get_option("--replay")->count() > 0;
  if (wanted != (app.get_option("--from")->count() > 0)) {
    throw InputError("--replay UPDATE and --from CHECKPOINT belong together");
  }
  if (!wanted) {
    return std::nullopt;
  }
  if (given.update == 0) {
    throw InputError("--replay 0: updates are counted from 1");
  }
  for (const std::string& name : settings_of_running()) {
    if (name != "output" && name != "quiet" && app.get_option("--" + name)->count() > 0) {
      throw InputError("--replay computes one update again and writes no run; leave --" + name +
                       " out");
    }
  }
  ReplayRequest request = given;
  request.output = config.output;
  return request;
}

}  // namespace

Options parse_options(int argc, const char* const* argv, const std::string& settings) {
  Options options;
  CLI::App app(
      "Trains a dense neural network (ReLU, softmax, cross-entropy) on any number of MPI "
      "ranks:\n  mpirun -np 8 dnn_train --data FILE\nWithout --data it trains on 1,797 "
      "digits that it carries.",
      "dnn_train");
  app.set_version_flag("--version", "dnn_train " DNN_VERSION)->configurable(false);
  app.set_config("--config", "", "TOML file with any of these options as keys");
  bool print_config = false;
  app.add_flag("--print-config", print_config,
               "print the effective configuration, in a form --config takes back")
      ->configurable(false);
  add_data_options(app, options.config);
  add_network_options(app, options.config);
  add_training_options(app, options.config);
  add_run_options(app, options.config);
  ReplayRequest replay;
  OptionAdder(app, "Replay")
      .value("--replay", replay.update, "UPDATE",
             "compute this update of a run again (from 1), on any number of "
             "ranks, with the run's own settings, and say what it did");
  OptionAdder(app, "Replay")
      .value("--from", replay.from, "CHECKPOINT",
             "a checkpoint of the run from before that update, or its folder");
  for (const char* name : {"--replay", "--from"}) {
    app.get_option(name)->configurable(false)->default_str("");
  }
  options.print = parse_command_line(app, argc, argv);
  if (options.print) {
    return options;
  }
  options.replay = replay_of(app, replay, options.config);
  if (!settings.empty()) {
    apply_settings(app, settings);
  }
  check(options.config);
  if (print_config) {
    options.print = to_toml(options.config);
  }
  return options;
}

}  // namespace dnn
