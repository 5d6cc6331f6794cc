#include "dnn/options/chosen_defaults.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <span>
#include <string_view>

#include "dnn/options/option_table.hpp"
#include "dnn/report/reporter.hpp"

namespace dnn {

namespace {

/// Note [Defaults that follow from the data]
/// What won on the nine sets of tests/bench/defaults.py and eight more that scikit-learn draws (300
/// to 5,000 rows; nested circles, Gaussian shells, heavy tails, 300 features for 600 rows), some
/// of it on one split:
///  - Xavier's initial weights. He's give few inputs large weights (four inputs: a deviation of 0.7
///    instead of 0.09), and the first layer stays nearly as it was drawn. With Xavier's, all else
///    alike: 95.6 instead of 94.3 % on `clusters`, log loss 0.08 instead of 0.19 on iris.
///  - AdamW, rate 0.002 (pictures: 0.001), a budget of epochs that falls with the sixth root of the
///    rows. Twice the plain rate and length and some dropout: 95.0 instead of 93.6 % on
///    letters like UCI's, 94.3 instead of 90.5 % on `clusters`. Training ends when the held-out
///    loss has not fallen for a fifth of the budget and 500 updates. A constant rate does not fall
///    towards the budget's end, so it gets half as many epochs again. On 15 of 18 sets of 2,250 to
///    45,000 rows training had ended before; the others gain (UCI's letters: 96.98 instead of
///    96.72 %, log loss 0.088 instead of 0.100; 1 and 2 % less log loss). Twice as many gain more
///    (97.30 %, 0.080), but take a quarter of MLPClassifier's time.
///  - Decay by features per row, squared: few rows for each feature overfit (on `wide` 83 % with
///    decay 3, 81 % with 0.1, and log loss 0.44 instead of 0.92), many rows lose by decay above
///    0.1.
///  - Label smoothing spoils the log loss of clean data, and is for pictures alone (Fashion-MNIST:
///    without it, the least held-out loss comes before the best accuracy). More dropout than 0.1
///    learns the shells more slowly.
///  - Under 2,000 rows a held-out tenth says little, and is missed in training: the length is found
///    on repeated splits, see Note [The longest among the best, and half as long again].
///    Tried there on 25 sets that are not in the benchmark, and of no use: no dropout (0.10 +- 0.18
///    points, -0.2 +- 0.9 % log loss); a decay of at least 1 (-4.5 +- 2.3 % log loss on 19 sets of
///    R's packages, but 4.8 +- 4.2 % more on 24 of KEEL's); on the 11 of up to 350 rows, a budget
///    of 90 epochs (0.01 +- 0.23 points, 0.0 +- 1.1 %) or 120 (-0.02 +- 0.23 points, +1.7 +- 1.5
///    %).
///    Wine wants less decay (with 0.01 log loss 0.032 instead of 0.046), breast cancer does not
///    (0.136 instead of 0.114), and the repeated splits do not tell them apart: of 0.01, 0.1, 0.3,
///    1 and 3 the one with the least held-out loss is worth 0.05 +- 0.22 points and -4.0 +- 2.5 %
///    log loss on 26 sets, for five times the search, and leaves wine at 0.045.
///  - Inputs clipped at 3 deviations: 66 instead of 57 % with heavy tails, little difference
///    elsewhere.
///  - 256 and 128 neurons for data of any size. With 512 and 256, one split: 95.5 instead of 94.9 %
///    on letters like UCI's, but 95.4 instead of 95.6 % and log loss 0.157 instead of 0.152 on
///    `clusters`, for 2.5 to 3 times the seconds.
///
/// Note [Schedules compared]
/// Where training ends by its held-out loss, its end is not known when it starts. Compared with the
/// cosine over the budget on ten sets that are not in the benchmark (five from R's packages, five
/// that scikit-learn draws; 1,514 to 22,500 rows to train on), all else by default. Mean over the
/// sets and its standard error; in the last column, the sets with less log loss and the splits:
///
///   | schedule                              | accuracy, points | log loss, %   | less   |
///   | constant rate                         | +0.22 +- 0.32    | +1.0 +- 2.0   |  2 (1) |
///   | rate times 0.3 at a plateau           | -0.10 +- 0.22    | -0.4 +- 3.7   |  5 (2) |
///   | two cosines, the second from the best | -0.17 +- 0.18    | +0.7 +- 3.2   |  2 (2) |
///   | constant, then 4 epochs from the best | +0.36 +- 0.15    | -3.2 +- 1.7   |  6 (2) |
///   | cosine, weights averaged              | +0.17 +- 0.09    | -2.5 +- 1.4   | 8 (1-2)|
///   | constant rate, weights averaged       | +0.55 +- 0.25    | -4.7 +- 2.3   | 10 (2) |
///
/// Averaged: exponentially, with a memory of one epoch, for validation and for the model that is
/// kept. Four epochs from the best: when the patience ends, from the best parameters, while the
/// rate falls to 0 as a cosine. The average with a constant rate wins, and is the default
/// (--average-weights, see Note [Averaged parameters]). As built, on the same sets and 2 splits:
/// +0.51 +- 0.26 points, -4.4 +- 2.4 % log loss, less on 9 of 10. Numbers (six more sets of 4,000
/// to 15,000 rows, one split): less squared error on five, by 2 to 6 %, 1 % more on one.
/// Pictures keep the cosine (Fashion-MNIST, 512-256: 90.70 %; cosine and average 90.74 %, log loss
/// 0.3071 instead of 0.3074; constant rate and average 90.29 %). Where the length is searched for,
/// under 2,000 rows, the average loses: on 25 sets with 3 splits each, log loss 5.2 +- 1.5 % higher
/// and accuracy 0.1 +- 0.3 points better. There, and where the length is given, the rate falls as a
/// cosine.
constexpr std::array<std::string_view, 14> choosable = {
    "validation",      "normalize",    "clip-features",   "dropout",   "init",
    "epochs",          "batch-size",   "optimizer",       "lr",        "lr-schedule",
    "average-weights", "weight-decay", "label-smoothing", "early-stop"};

/// Sets the options that are open.
class Chooser {
 public:
  explicit Chooser(Config& config) : config_(config) {}

  template <class Field, class Settings>
  void set(const std::string& option, Field Settings::*field, const Field& value,
           const std::string& reason) {
    if (is_open(config_, option)) {
      config_.*field = value;
      note(option, reason);
    }
  }

  /// Sets epochs that were chosen before.
  void lengthen_to(std::size_t epochs) {
    config_.epochs = epochs;
    for (ChosenValue& chosen : config_.chosen) {
      if (chosen.option == "epochs") {
        chosen.value = std::to_string(epochs);
      }
    }
  }

  void note(const std::string& option, const std::string& reason) {
    config_.chosen.push_back({option, text_of(*row_of(option), config_), reason});
  }

  /// Brings what was chosen into the order of --help.
  void sort() {
    std::sort(config_.chosen.begin(), config_.chosen.end(),
              [](const ChosenValue& a, const ChosenValue& b) {
                return row_of(a.option) < row_of(b.option);
              });
  }

 private:
  static std::span<const Option>::iterator row_of(const std::string& option) {
    return std::find_if(option_table().begin(), option_table().end(),
                        [&option](const Option& o) { return o.name == option; });
  }

  Config& config_;
};

std::size_t held_out_samples(const Config& config, const DataFacts& facts) {
  const auto count = std::llround(config.validation * static_cast<double>(facts.samples));
  return std::min(static_cast<std::size_t>(count), facts.samples);
}

std::size_t batch_for(std::size_t rows) {
  const std::size_t size = rows < 500         ? 16
                           : rows < 4'000     ? 32
                           : rows < 10'000    ? 64
                           : rows < 1'000'000 ? 128
                                              : 256;
  return std::clamp<std::size_t>(rows / 4, 1, size);
}

std::size_t most_epochs(std::size_t rows) {
  constexpr double most = 60;
  constexpr double small = 2'000;
  const double share =
      std::pow(small / static_cast<double>(std::max<std::size_t>(rows, 1)), 1 / 6.0);
  return static_cast<std::size_t>(std::llround(std::min(most * share, most)));
}

/// Whether too few samples would be held out to tell when training should end. Then the length is
/// searched for on so many splits of the data instead; 0: it is not. Only where all sums have one
/// order: the length must not depend on the ranks. And only for samples that count alike: each
/// split holds out some that count.
std::size_t splits_for(const Config& config, const DataFacts& facts) {
  constexpr std::size_t least = 20;
  if (!is_open(config, "validation") || !is_open(config, "epochs") ||
      !is_open(config, "early-stop") || !has_fixed_order(config) ||
      config.exchange == ExchangeKind::allreduce || config.split_hidden || facts.has_weights ||
      facts.samples < least || facts.samples >= 2'000) {
    return 0;
  }
  return facts.samples < 500 ? 5 : 3;
}

/// Epochs without a better held-out loss after which training ends: a fifth of all, but as many as
/// make 500 updates.
std::size_t patience(std::size_t epochs, std::size_t updates) {
  constexpr std::size_t least_updates = 500;
  return std::max({(epochs + 4) / 5, (least_updates + updates - 1) / updates, std::size_t{3}});
}

double weight_decay_for(std::size_t rows, std::size_t features) {
  const double share = static_cast<double>(features) / static_cast<double>(rows);
  const double decay = std::clamp(500 * share * share, 0.1, 3.0);
  return std::round(decay * 100) / 100;
}

/// Why these data get the plain defaults; empty if they do not.
std::string reason_for_plain(const DataFacts& facts) {
  constexpr std::size_t many_classes = 1'000;
  if (facts.sparse_rows) {
    return "samples stay sparse";
  }
  return facts.classes > many_classes ? fmt::format("{} classes", with_commas(facts.classes))
                                      : std::string();
}

/// Chooses the batches, their number, and when training ends.
void choose_steps(Config& config, Chooser& choose, const DataFacts& facts) {
  constexpr std::size_t many_samples = 30'000;
  config.length_splits = splits_for(config, facts);
  if (config.length_splits > 0) {
    choose.set("validation", &Config::validation, 0.0,
               fmt::format("{} samples: all are trained on, for a length found on {} splits",
                           with_commas(facts.samples), config.length_splits));
  } else if (facts.samples >= many_samples) {
    choose.set("validation", &Config::validation, 0.05,
               fmt::format("a twentieth of {} samples tells enough", with_commas(facts.samples)));
  }
  const std::size_t held_out = held_out_samples(config, facts);
  const std::size_t rows = std::max<std::size_t>(facts.samples - held_out, 1);
  const std::string by_rows = fmt::format("{} samples to train on", with_commas(rows));
  const bool ends_early = is_open(config, "epochs") && held_out > 0;
  choose.set("epochs", &Config::epochs, most_epochs(rows),
             ends_early || config.length_splits > 0 ? "at most; " + by_rows : by_rows);
  choose.set("batch-size", &Config::batch_size, std::optional(batch_for(rows)), by_rows);
  const std::size_t batch = std::max<std::size_t>(config.batch_size.value_or(1), 1);
  if (ends_early) {
    choose.set("early-stop", &Config::early_stop,
               patience(config.epochs, (rows + batch - 1) / batch),
               "epochs without a better held-out loss end the training");
  }
}

/// Chooses the optimizer and what it goes by.
void choose_rates(Config& config, Chooser& choose, const DataFacts& facts) {
  const std::size_t rows =
      std::max<std::size_t>(facts.samples - held_out_samples(config, facts), 1);
  choose.set("optimizer", &Config::optimizer, OptimizerKind::adamw,
             "weight decay apart from the gradients");
  if (config.optimizer != OptimizerKind::adamw) {
    return;  // the decay of the others is not comparable
  }
  choose.set("weight-decay", &Config::weight_decay, weight_decay_for(rows, facts.features),
             fmt::format("{:.3g} samples for each feature",
                         static_cast<double>(rows) / static_cast<double>(facts.features)));
}

void note_scaling(Chooser& choose, const TrainingData& data) {
  const bool is_common = data.normalization == Normalization::common;
  choose.note("normalize", is_common ? "all features are numbers of one kind, like pixels or counts"
                                     : "features differ in kind");
  if (!is_common) {
    choose.note("clip-features", "outliers of a feature count as so many deviations");
  }
}

bool are_pictures(const TrainingData& data) {
  constexpr std::size_t least_pixels = 256;
  constexpr std::size_t least_pictures = 2'000;
  return data.normalization == Normalization::common && data.train.features >= least_pixels &&
         data.train.samples >= least_pictures;
}

/// Where the held-out loss ends the training: see Note [Schedules compared].
void choose_schedule(const Config& config, Chooser& choose) {
  choose.set("average-weights", &Config::average_weights, 1.0,
             "over about an epoch, where the held-out loss ends the training");
  if (config.average_weights > 0) {
    choose.set("lr-schedule", &Config::lr_schedule, ScheduleKind::constant,
               "the average of the weights takes the place of a falling rate");
  }
  if (config.lr_schedule == ScheduleKind::constant) {
    choose.lengthen_to(config.epochs + config.epochs / 2);
  }
}

/// Classes: chooses dropout and label smoothing.
void choose_against_overfitting(Chooser& choose, const TrainingData& data) {
  if (are_pictures(data)) {
    const std::string reason = "pictures are fitted too closely otherwise";
    choose.set("dropout", &Config::dropout, 0.25, reason);
    choose.set("label-smoothing", &Config::label_smoothing, 0.05, reason);
  } else {
    choose.set("dropout", &Config::dropout, 0.1, "a little helps to tell classes");
  }
}

}  // namespace

bool is_open(const Config& config, const std::string& option) {
  return config.defaults == Defaults::automatic && !config.given.contains(option) &&
         std::find(choosable.begin(), choosable.end(), option) != choosable.end();
}

void choose_defaults(Config& config, const DataFacts& facts) {
  config.chosen.clear();
  config.resolved = true;
  if (config.defaults == Defaults::plain) {
    return;
  }
  config.split_by_class = true;
  if (const std::string reason = reason_for_plain(facts); !reason.empty()) {
    config.chosen.push_back({"defaults", "plain", reason});
    return;
  }
  config.choose_scaling = is_open(config, "normalize") && is_open(config, "clip-features");
  Chooser choose(config);
  choose.set("init", &Config::init, Initializer::xavier,
             "few inputs get no large weights in the first layer");
  choose_steps(config, choose, facts);
  choose_rates(config, choose, facts);
}

void choose_by_kind(Config& config, const TrainingData& data) {
  Chooser choose(config);
  const bool is_free =
      config.defaults == Defaults::automatic && reason_for_plain(data.facts).empty();
  if (is_free && config.optimizer == OptimizerKind::adamw) {
    const bool slow = are_pictures(data);
    choose.set("lr", &Config::lr, std::optional(slow ? 0.001 : 0.002),
               slow ? "suits adamw and pictures" : "suits adamw and tables");
    if (!slow && config.early_stop > 0 && is_open(config, "epochs")) {
      choose_schedule(config, choose);
    }
  }
  if (is_free && data.facts.has_classes) {
    choose_against_overfitting(choose, data);
  }
  if (config.choose_scaling) {
    config.normalize = data.normalization;
    config.clip_features = data.normalizer.clip;
    config.choose_scaling = false;
    note_scaling(choose, data);
  }
  choose.sort();
}

FoundLength find_and_use_length(Config& config, RankGrid& grid, const ModelPlan& plan,
                                const TrainingData& data) {
  const FoundLength found =
      config.precision == Precision::f64
          ? find_length<double>(config, grid, plan, data, config.length_splits)
          : find_length<float>(config, grid, plan, data, config.length_splits);
  config.length_splits = 0;
  config.epochs = found.epochs;
  for (ChosenValue& chosen : config.chosen) {
    if (chosen.option == "epochs") {
      chosen.value = std::to_string(found.epochs);
      chosen.reason = fmt::format("{}the best length on {} splits of the data",
                                  found.epochs > found.best_epochs ? "half as long again as " : "",
                                  found.splits);
    }
  }
  return found;
}

std::string uneven_classes(const Config& config, const DataFacts& facts) {
  constexpr std::size_t limit = 20;
  if (facts.rarest_class == 0 || facts.commonest_class / facts.rarest_class < limit ||
      config.class_weights != ClassWeights::none) {
    return {};
  }
  return fmt::format(
      "classes are uneven: {} samples of the commonest, {} of the rarest; if the rare ones matter "
      "as much, use --class-weights balanced",
      with_commas(facts.commonest_class), with_commas(facts.rarest_class));
}

}  // namespace dnn
