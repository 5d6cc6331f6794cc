#include "dnn/report/metrics_log.hpp"

#include <fcntl.h>

#include <nlohmann/json.hpp>
#include <span>
#include <utility>

#include "dnn/core/atomic_file.hpp"
#include "dnn/core/error.hpp"
#include "dnn/core/output_file.hpp"

namespace dnn {

namespace {

std::string line_of(const EpochMetrics& epoch) {
  return epoch.to_json().dump() + '\n';
}

}  // namespace

MetricsLog::MetricsLog(std::string path) : path_(std::move(path)) {}

void MetricsLog::add(const std::vector<EpochMetrics>& epochs) {
  if (!is_whole_ || !append(epochs.back())) {
    write(epochs);
  }
}

void MetricsLog::write(const std::vector<EpochMetrics>& epochs) {
  is_whole_ = false;
  std::string lines;
  for (const EpochMetrics& epoch : epochs) {
    lines += line_of(epoch);
  }
  write_file_atomically(path_, lines);
  is_whole_ = true;
}

bool MetricsLog::append(const EpochMetrics& epoch) const {
  try {
    OutputFile file(path_, O_APPEND, path_);  // one that somebody removed is not begun amid a run
    const std::string line = line_of(epoch);
    file.write(std::as_bytes(std::span(line)));
    file.close();
    return true;
  } catch (const FileError&) {
    return false;
  }
}

}  // namespace dnn
