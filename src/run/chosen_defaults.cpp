#include "dnn/run/chosen_defaults.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string_view>

#include "dnn/report/reporter.hpp"
#include "dnn/run/option_table.hpp"

namespace dnn {

namespace {

/// Note [Defaults that follow from the data]
/// PLACEHOLDER
constexpr std::array<std::string_view, 11> choosable = {
    "validation", "normalize", "clip-features", "dropout",   "init", "epochs", "batch-size",
    "optimizer",  "lr",        "weight-decay",  "early-stop"};

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

  void note(const std::string& option, const std::string& reason) {
    const auto row = std::find_if(option_table().begin(), option_table().end(),
                                  [&option](const Option& o) { return o.name == option; });
    config_.chosen.push_back({option, text_of(*row, config_), reason});
  }

 private:
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
/// order: the length must not depend on the ranks.
std::size_t splits_for(const Config& config, const DataFacts& facts) {
  constexpr std::size_t least = 20;
  if (!is_open(config, "validation") || !is_open(config, "epochs") ||
      !is_open(config, "early-stop") || !has_fixed_order(config) ||
      config.exchange == ExchangeKind::allreduce || config.split_hidden || facts.samples < least ||
      facts.samples >= 2'000) {
    return 0;
  }
  return facts.samples < 500 ? 5 : 2;
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
  config.length_splits = splits_for(config, facts);
  if (config.length_splits > 0) {
    choose.set("validation", &Config::validation, 0.0,
               fmt::format("{} samples: all are trained on, for a length found on {} splits",
                           with_commas(facts.samples), config.length_splits));
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
    return;  // rates and decay of the others are not comparable
  }
  choose.set("lr", &Config::lr, std::optional(0.002), "suits adamw and these batches");
  choose.set("weight-decay", &Config::weight_decay, weight_decay_for(rows, facts.features),
             fmt::format("{:.3g} samples for each feature",
                         static_cast<double>(rows) / static_cast<double>(facts.features)));
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
  choose.set("dropout", &Config::dropout, 0.1, "a little helps on all data");
  choose.set("init", &Config::init, Initializer::xavier,
             "few inputs get no large weights in the first layer");
  choose_steps(config, choose, facts);
  choose_rates(config, choose, facts);
}

void note_scaling(Config& config, const TrainingData& data) {
  if (!config.choose_scaling) {
    return;
  }
  config.normalize = data.normalization;
  config.clip_features = data.normalizer.clip;
  config.choose_scaling = false;
  Chooser choose(config);
  const bool is_common = data.normalization == Normalization::common;
  choose.note("normalize", is_common ? "all features are numbers of one kind, like pixels or counts"
                                     : "features differ in kind");
  if (!is_common) {
    choose.note("clip-features", "outliers of a feature count as so many deviations");
  }
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
      chosen.reason = fmt::format("the best length on {} splits of the data", found.splits);
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
