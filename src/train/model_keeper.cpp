#include "dnn/train/model_keeper.hpp"

#include <cerrno>
#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

#include "dnn/comm/agree.hpp"
#include "dnn/core/error.hpp"
#include "dnn/train/model_file.hpp"
#include "dnn/train/program_name.hpp"

namespace dnn {

ModelKeeper::ModelKeeper(const Config& config, const Communicator& world, const TrainingData& data,
                         const ParameterLayout& layout, const RunFolder* folder)
    : config_(config), world_(world), data_(data), widths_(layout.widths()), folder_(folder) {}

bool ModelKeeper::improves(const EpochMetrics& metrics) const {
  if (!metrics.validation || !best_) {
    return true;
  }
  const Evaluation& now = *metrics.validation;
  const Evaluation& best = *best_->validation;
  return now.accuracy > best.accuracy || (now.accuracy == best.accuracy && now.loss < best.loss);
}

void ModelKeeper::end_epoch(const EpochMetrics& metrics,
                            const std::function<Parameters()>& parameters) {
  const bool is_best = improves(metrics);
  if (is_best) {
    best_ = metrics;
  }
  agree(world_, [&] {
    if (!world_.is_root()) {
      return;
    }
    // Without a validation set every epoch is the best one so far; only the last is worth writing.
    const bool write = is_best && (metrics.validation || metrics.epoch == config_.epochs);
    if (write) {
      best_parameters_ = parameters();
    }
    if (folder_ != nullptr && write) {
      save(folder_->best_model(), metrics, best_parameters_);
    }
    if (folder_ != nullptr) {
      append(metrics);
    }
  });
}

void ModelKeeper::append(const EpochMetrics& metrics) const {
  std::ofstream file(folder_->metrics(), std::ios::app);
  file << metrics.to_json().dump() << '\n' << std::flush;
  if (!file) {
    throw FileError("write the metrics", folder_->metrics(), errno);
  }
}

void ModelKeeper::restore(const std::optional<EpochMetrics>& best, Parameters parameters) {
  best_ = best;
  best_parameters_ = std::move(parameters);
  agree(world_, [this] {
    if (folder_ != nullptr && world_.is_root() && !best_parameters_.empty()) {
      save(folder_->best_model(), *best_, best_parameters_);
    }
  });
}

void ModelKeeper::save_last(const EpochMetrics& metrics,
                            const std::function<Parameters()>& parameters) const {
  agree(world_, [&] {
    if (folder_ != nullptr && world_.is_root()) {
      save(folder_->last_model(), metrics, parameters());
    }
  });
}

void ModelKeeper::save(const std::string& path, const EpochMetrics& metrics,
                       std::span<const std::byte> parameters) const {
  ModelDescription description;
  description.widths.assign(widths_.begin(), widths_.end());
  description.precision = config_.precision == Precision::f64 ? Precision::f64 : Precision::f32;
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
  save_model(path, description, parameters);
}

}  // namespace dnn
