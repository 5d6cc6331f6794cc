#include "dnn/report/openmetrics_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string_view>
#include <system_error>

#include "dnn/core/atomic_file.hpp"
#include "dnn/core/error.hpp"

namespace dnn {

namespace {

/// What every file begins with, see MetricFamilies::begin.
constexpr std::string_view first_words = "# TYPE dnn_train_";

std::string metric_number(double value) {
  return std::isnan(value)   ? "NaN"
         : std::isinf(value) ? (value > 0 ? "+Inf" : "-Inf")
                             : fmt::format("{}", value);
}

/// Metrics of one run, one family after another.
class MetricFamilies {
 public:
  explicit MetricFamilies(const std::string& run) : run_(escaped_label(run)) {}

  void gauge(const std::string& name, const std::string& help, double value) {
    begin(name, "gauge", help);
    sample(name, "", value);
  }
  void counter(const std::string& name, const std::string& help, double value) {
    begin(name, "counter", help);
    sample(name + "_total", "", value);
  }
  void begin(const std::string& name, const char* type, const std::string& help) {
    text_ += fmt::format("{}{} {}\n# HELP dnn_train_{} {}\n", first_words, name, type, name, help);
  }
  /// `labels`: besides the run's, with a comma before each.
  void sample(const std::string& name, const std::string& labels, double value) {
    text_ +=
        fmt::format("dnn_train_{}{{run=\"{}\"{}}} {}\n", name, run_, labels, metric_number(value));
  }

  [[nodiscard]] std::string finished() const { return text_ + "# EOF\n"; }

 private:
  std::string run_;
  std::string text_;
};

double now_in_seconds() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

std::string escaped_label(const std::string& value) {
  // dump() replaces what is no UTF-8; parsing again undoes its quotes and escapes.
  const std::string valid =
      nlohmann::json::parse(
          nlohmann::json(value).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace))
          .get<std::string>();
  std::string escaped;
  for (const char c : valid) {
    switch (c) {
      case '\\':
        escaped += "\\\\";
        break;
      case '"':
        escaped += "\\\"";
        break;
      case '\n':
        escaped += "\\n";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

void OpenMetricsFile::check(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (!fs::exists(path, error)) {
    return;
  }
  std::string beginning(first_words.size(), '\0');
  bool is_own = fs::is_regular_file(path, error);
  if (is_own) {
    std::ifstream file(path, std::ios::binary);
    if (!file) {
      throw FileError("read the file of --openmetrics", path, errno);
    }
    file.read(beginning.data(), static_cast<std::streamsize>(beginning.size()));
    is_own = file.gcount() == 0 || beginning == first_words;
  }
  if (!is_own) {
    throw InputError(
        fmt::format("--openmetrics {}: this file holds no metrics of dnn_train and is not "
                    "overwritten; name another file, or remove this one",
                    path));
  }
}

void OpenMetricsFile::add(const StepRecord& record) {
  step_ = record;
  update_ = record.update;
  epochs_done_ = std::max<std::uint64_t>(record.epoch, 1) - 1;  // fewer than before: it went back
  samples_ += record.samples;
  write_if_due();
}

void OpenMetricsFile::add(const EpochMetrics& epoch, std::uint64_t update) {
  epoch_ = epoch;
  epochs_done_ = epoch.epoch;
  update_ = update;
  write_if_due();
}

void OpenMetricsFile::write_if_due() {
  constexpr double interval = 5;  // seconds
  if (!since_write_ || since_write_->seconds() >= interval) {
    flush();
  }
}

void OpenMetricsFile::flush() {
  since_write_.emplace();
  write_file_atomically(path_, text());
}

std::string OpenMetricsFile::text() const {
  MetricFamilies families(run_.name);
  families.gauge("ranks", "Ranks of the job.", static_cast<double>(run_.ranks));
  families.gauge("epochs_planned", "Epochs that the run trains at most.",
                 static_cast<double>(run_.epochs));
  families.gauge("epochs_done", "Epochs that are complete.", static_cast<double>(epochs_done_));
  families.gauge("updates_done", "Updates that are done.", static_cast<double>(update_));
  if (step_) {
    families.counter("samples", "Samples trained on since the process began to train.",
                     static_cast<double>(samples_));
    families.gauge("loss", "Mean training loss since the logged update before.", step_->loss);
    families.gauge("gradient_norm", "Norm of all gradients of the last logged update.",
                   step_->gradient_norm);
    families.gauge("learning_rate", "Learning rate of the last logged update.",
                   step_->learning_rate);
    families.gauge("samples_per_second", "Samples of training a second, over all ranks.",
                   step_->samples_per_second);
    families.begin("phase_seconds", "counter",
                   "Seconds of rank 0 in each phase since the process began to train.");
    for (const auto& [phase, seconds] : step_->total_seconds) {
      families.sample("phase_seconds_total", ",phase=\"" + escaped_label(phase) + '"', seconds);
    }
  }
  if (epoch_) {
    families.gauge("epoch_loss", "Mean training loss of the last epoch.", epoch_->train.loss);
    if (epoch_->validation) {
      families.gauge("validation_loss", "Loss on the samples held out, after the last epoch.",
                     epoch_->validation->loss);
      if (epoch_->validation->accuracy >= 0) {
        families.gauge("validation_accuracy",
                       "Accuracy on the samples held out, from 0 to 1, after the last epoch.",
                       epoch_->validation->accuracy);
      }
    }
  }
  families.gauge("written_timestamp_seconds", "When this file was written, since 1970 in UTC.",
                 std::floor(now_in_seconds()));
  return families.finished();
}

}  // namespace dnn
