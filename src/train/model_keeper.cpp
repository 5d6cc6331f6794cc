#include "dnn/train/model_keeper.hpp"

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <utility>

#include "dnn/comm/agree.hpp"
#include "dnn/core/error.hpp"
#include "dnn/train/model_file.hpp"
#include "dnn/train/program_name.hpp"
#include "dnn/train/run_plan.hpp"

namespace dnn {

ModelKeeper::ModelKeeper(const Config& config, const Communicator& world, const TrainingData& data,
                         const TensorParts& parts, const Environment& environment,
                         const RunFolder* folder)
    : config_(config),
      world_(world),
      data_(data),
      parts_(parts),
      environment_(environment),
      folder_(folder) {
  if (folder != nullptr && world.is_root()) {
    metrics_log_.emplace(folder->metrics());
  }
}

bool ModelKeeper::improves(const EpochMetrics& metrics) const {
  if (!metrics.validation || !best_) {
    return true;
  }
  const Evaluation& now = *metrics.validation;
  const Evaluation& best = *best_->validation;
  return now.accuracy > best.accuracy || (now.accuracy == best.accuracy && now.loss < best.loss);
}

std::size_t ModelKeeper::element_bytes() const {
  return config_.precision == Precision::f64 ? sizeof(double) : sizeof(float);
}

void ModelKeeper::end_epoch(const std::vector<EpochMetrics>& epochs, const Present& present) {
  const EpochMetrics& metrics = epochs.back();
  const bool is_best = improves(metrics);
  if (is_best) {
    best_ = metrics;
  }
  // Without a validation set every epoch is the best one so far; only the last is worth writing.
  const bool keep = is_best && (metrics.validation || metrics.epoch == config_.epochs);
  agree(world_, [&] {
    if (keep) {
      best_part_ = present.part();
      keeps_best_ = true;
    }
  });
  const Parameters whole = keep && folder_ != nullptr ? present.whole() : Parameters{};
  agree(world_, [&] {
    if (folder_ != nullptr && world_.is_root()) {
      save_while_training(epochs, keep, whole);
    }
  });
}

/// On rank 0: a disk that is full now may have room again when the run ends.
void ModelKeeper::save_while_training(const std::vector<EpochMetrics>& epochs, bool is_best,
                                      const Parameters& present) {
  const auto attempt = [&](bool& unsaved, const char* what, auto&& work) {
    const bool told = unsaved;
    try {
      work();
      unsaved = false;
    } catch (const FileError& error) {
      unsaved = true;
      if (!told) {
        std::fprintf(stderr,
                     "dnn_train: warning: no %s at epoch %zu: %s; training goes on, and it is "
                     "written later\n",
                     what, epochs.back().epoch, error.what());
      }
    }
  };
  if (is_best) {
    attempt(best_unsaved_, "best model", [&] { save(folder_->best_model(), *best_, present); });
  }
  attempt(metrics_unsaved_, "metrics", [&] { metrics_log_->add(epochs); });
}

void ModelKeeper::restore(const std::optional<EpochMetrics>& best, Parameters parameters) {
  best_ = best;
  agree(world_, [&] {
    if (folder_ != nullptr && world_.is_root() && !parameters.empty()) {
      save(folder_->best_model(), *best_, parameters);
    }
  });
  best_unsaved_ = false;
  best_part_.clear();
  keeps_best_ = world_.all_reduce<std::int64_t>(parameters.empty() ? 0 : 1, Reduction::max) == 1;
  if (keeps_best_) {
    const Parameters own = parts_.distribute(std::move(parameters));
    const Range saved = parts_.saved().packed;
    const auto part =
        std::span(own).subspan(saved.begin * element_bytes(), saved.size() * element_bytes());
    best_part_.assign(part.begin(), part.end());
  }
}

void ModelKeeper::save_last(const std::vector<EpochMetrics>& epochs,
                            const std::function<Parameters()>& whole) {
  Parameters best;
  if (folder_ != nullptr && world_.is_root() && keeps_best_) {
    std::error_code error;
    best_unsaved_ = best_unsaved_ || !std::filesystem::exists(folder_->best_model(), error);
  }
  if (world_.all_reduce<std::int64_t>(best_unsaved_ ? 1 : 0, Reduction::max) == 1) {
    best = gather_best();
  }
  const Parameters last = folder_ != nullptr ? whole() : Parameters{};
  agree(world_, [&] {
    if (folder_ == nullptr || !world_.is_root()) {
      return;
    }
    folder_->create();  // again, where it is gone
    if (best_unsaved_) {
      save(folder_->best_model(), *best_, best);
    }
    if (metrics_unsaved_) {
      metrics_log_->write(epochs);
    }
    save(folder_->last_model(), epochs.back(), last);
  });
}

ModelKeeper::Parameters ModelKeeper::gather_best() const {
  return keeps_best_ ? parts_.gather(best_part_) : Parameters{};
}

void ModelKeeper::save(const std::string& path, const EpochMetrics& metrics,
                       std::span<const std::byte> parameters) const {
  ModelDescription description;
  const std::vector<std::size_t> widths = network_widths(config_, data_.train);
  description.widths.assign(widths.begin(), widths.end());
  description.precision = config_.stored_precision();
  description.class_names = data_.train.class_names;
  description.feature_names = data_.train.feature_names;
  description.index_base = data_.train.index_base;
  description.normalizer = data_.normalizer;
  description.configuration = to_toml(config_);
  description.epoch = metrics.epoch;
  if (metrics.validation) {
    description.validation_loss = metrics.validation->loss;
    description.validation_accuracy = metrics.validation->accuracy;
    description.validation_samples = metrics.validation->samples;
  }
  description.program = program_name;
  description.environment = environment_.to_text();
  save_model(path, description, parameters);
}

}  // namespace dnn
