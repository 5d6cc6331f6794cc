#include "dnn/train/best_model.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <utility>

#include "dnn/comm/collective_error.hpp"
#include "dnn/core/error.hpp"
#include "dnn/core/messages.hpp"
#include "dnn/core/program_name.hpp"
#include "dnn/model/model_file.hpp"

namespace dnn {

ModelDescription describe_trained(const TrainingData& data, const std::vector<std::size_t>& widths,
                                  Precision precision, const Provenance& provenance) {
  ModelDescription description;
  description.widths.assign(widths.begin(), widths.end());
  description.precision = stored_as(precision);
  description.task = data.train.task;
  description.label_thresholds = data.train.label_thresholds;
  description.target_scale = data.train.target_scale;
  description.class_names = data.train.class_names;
  description.feature_names = data.train.feature_names;
  description.index_base = data.train.index_base;
  description.normalizer = data.normalizer;
  description.schema = data.train.schema;
  description.configuration = provenance.configuration_toml;
  description.program = program_name;
  description.environment = provenance.environment.to_text();
  return description;
}

BestModel::BestModel(const Setup& setup) : setup_(setup) {
  if (setup_.folder != nullptr && setup_.world.is_root()) {
    constexpr double report_interval = 30;  // seconds
    metrics_log_.emplace(setup_.folder->metrics());
    report_.emplace(setup_.folder->path(), report_interval);
  }
}

bool BestModel::improves(const EpochMetrics& metrics) const {
  if (!metrics.validation || !best_) {
    return true;
  }
  const Evaluation& now = *metrics.validation;
  const Evaluation& best = *best_->validation;
  if (!std::isfinite(best.loss)) {
    return true;  // nothing says that an earlier epoch is better than a later one
  }
  return now.loss < best.loss || (now.loss == best.loss && now.accuracy > best.accuracy);
}

void BestModel::end_epoch(const std::vector<EpochMetrics>& epochs, const Present& present) {
  const EpochMetrics& metrics = epochs.back();
  const bool is_best = improves(metrics);
  if (is_best) {
    best_ = metrics;
  }
  // Without a validation set every epoch is the best one so far; only the last is worth writing.
  // What is not written may be asked for after any epoch.
  const bool keep = is_best && (metrics.validation || metrics.epoch == setup_.settings.epochs ||
                                setup_.folder == nullptr);
  agree(setup_.world, [&] {
    if (keep) {
      best_part_ = present.part();
      keeps_best_ = true;
    }
  });
  const Parameters whole = keep && setup_.folder != nullptr ? present.whole() : Parameters{};
  agree(setup_.world, [&] {
    if (setup_.folder != nullptr && setup_.world.is_root()) {
      save_while_training(epochs, keep, whole);
    }
  });
}

void BestModel::end_training(const std::function<Parameters()>& part) {
  if (keeps_best_) {
    return;
  }
  agree(setup_.world, [&] { best_part_ = part(); });
  keeps_best_ = true;
  best_unsaved_ = setup_.folder != nullptr && setup_.world.is_root();
}

/// On rank 0: a disk that is full now may have room again when the run ends.
void BestModel::save_while_training(const std::vector<EpochMetrics>& epochs, bool is_best,
                                    const Parameters& present) {
  const auto attempt = [&](bool& unsaved, const char* what, auto&& work) {
    const bool warned = unsaved;
    try {
      work();
      unsaved = false;
    } catch (const InputError& error) {
      unsaved = true;
      if (!warned) {
        complain(
            fmt::format("dnn_train: warning: could not write the {} of epoch {}: {}. Training "
                        "continues; the {} "
                        "will be written as soon as that works.",
                        what, epochs.back().epoch, error.what(), what));
      }
    }
  };
  if (is_best) {
    attempt(best_unsaved_, "best model", [&] {
      save(setup_.folder->best_model(), *best_, present, setup_.data.train.label_thresholds);
    });
  }
  attempt(metrics_unsaved_, "metrics", [&] { metrics_log_->add(epochs); });
  attempt(report_unsaved_, "report", [&] { report_->update(); });
}

void BestModel::restore(const std::optional<EpochMetrics>& best, Parameters parameters) {
  best_ = best;
  agree(setup_.world, [&] {
    if (setup_.folder != nullptr && setup_.world.is_root() && !parameters.empty()) {
      save(setup_.folder->best_model(), *best_, parameters, setup_.data.train.label_thresholds);
    }
  });
  best_unsaved_ = false;
  best_part_.clear();
  keeps_best_ =
      setup_.world.all_reduce<std::int64_t>(parameters.empty() ? 0 : 1, Reduction::max) == 1;
  if (keeps_best_) {
    const Parameters own = setup_.parts.distribute(std::move(parameters));
    const Range saved = setup_.parts.saved().packed;
    const std::size_t element = element_bytes(setup_.settings.precision);
    const auto part = std::span(own).subspan(saved.begin * element, saved.size() * element);
    best_part_.assign(part.begin(), part.end());
  }
}

void BestModel::save_last(const std::vector<EpochMetrics>& epochs,
                          const std::function<Parameters()>& whole,
                          const std::vector<double>& label_thresholds) {
  Parameters best;
  if (setup_.folder != nullptr && setup_.world.is_root() && keeps_best_) {
    std::error_code error;
    best_unsaved_ = best_unsaved_ || !std::filesystem::exists(setup_.folder->best_model(), error);
  }
  if (setup_.world.all_reduce<std::int64_t>(best_unsaved_ ? 1 : 0, Reduction::max) == 1) {
    best = gather_best();
  }
  const Parameters last = setup_.folder != nullptr ? whole() : Parameters{};
  agree(setup_.world, [&] {
    if (setup_.folder == nullptr || !setup_.world.is_root()) {
      return;
    }
    setup_.folder->create();  // again, where it is gone
    if (best_unsaved_) {
      save(setup_.folder->best_model(), *best_, best, setup_.data.train.label_thresholds);
    }
    if (metrics_unsaved_) {
      metrics_log_->write(epochs);
    }
    save(setup_.folder->last_model(), epochs.back(), last, label_thresholds);
  });
}

void BestModel::save_best(const std::function<Parameters()>& whole,
                          const std::vector<double>& label_thresholds) {
  if (setup_.folder == nullptr) {
    return;
  }
  const Parameters best = whole();
  agree(setup_.world, [&] {
    if (setup_.world.is_root()) {
      save(setup_.folder->best_model(), *best_, best, label_thresholds);
    }
  });
}

BestModel::Parameters BestModel::gather_best() const {
  return keeps_best_ ? setup_.parts.gather(best_part_) : Parameters{};
}

void BestModel::save(const std::string& path, const EpochMetrics& metrics,
                     std::span<const std::byte> parameters,
                     const std::vector<double>& label_thresholds) const {
  ModelDescription description =
      describe_trained(setup_.data, setup_.widths, setup_.settings.precision, setup_.provenance);
  description.label_thresholds = label_thresholds;
  description.epoch = metrics.epoch;
  if (metrics.validation) {
    description.validation_loss = metrics.validation->loss;
    description.validation_accuracy = metrics.validation->accuracy;
    description.validation_figures = metrics.validation->figures;
    description.validation_samples = metrics.validation->samples;
  }
  save_model(path, description, parameters);
}

}  // namespace dnn
