#include "dnn/run/split_report.hpp"

#include <algorithm>
#include <cstdio>

#include "dnn/parallel/split_rule.hpp"
#include "dnn/report/reporter.hpp"

namespace dnn {

namespace {

std::string bytes_text(std::size_t bytes) {
  char text[32];
  std::snprintf(text, sizeof(text), bytes < (1 << 20) ? "%.1f KiB" : "%.1f MiB",
                static_cast<double>(bytes) / (bytes < (1 << 20) ? 1 << 10 : 1 << 20));
  return text;
}

const char* word_for(LayerSplit split) {
  switch (split) {
    case LayerSplit::columns:
      return "by columns";
    case LayerSplit::rows:
      return "by rows";
    default:
      return "whole";
  }
}

/// Numbers of a layer, or of all.
struct Share {
  std::size_t parameters = 0;
  std::size_t memory = 0;
  std::size_t group_bytes = 0;     ///< that are summed over the model group in an update
  std::size_t gradient_bytes = 0;  ///< that are summed over the data group

  Share& operator+=(const Share& other) {
    parameters += other.parameters;
    memory += other.memory;
    group_bytes += other.group_bytes;
    gradient_bytes += other.gradient_bytes;
    return *this;
  }
};

Share share_of(const RunPlan& plan, const Config& config, const TrainingData& data, std::size_t n) {
  const LayerLayout& layer = plan.part.layers()[n];
  const std::size_t element = element_bytes(config.precision);
  const std::size_t samples = data.sampler.max_share();
  Share share;
  share.parameters = layer.inputs * layer.outputs + layer.outputs;
  share.memory = element * (share.parameters * parameter_copies(config) +
                            std::max<std::size_t>(samples, 256) * layer.outputs);
  if (layer.split == LayerSplit::rows) {
    share.group_bytes = samples * layer.outputs * element;  // A
  }
  if (layer.split == LayerSplit::columns && n > 0) {
    share.group_bytes = samples * layer.inputs * element;  // dX
  }
  if (n + 1 == plan.part.layers().size()) {
    const std::size_t sums = 3 * std::max<std::size_t>(plan.part.class_blocks(), 1);
    share.group_bytes += samples * (element + sums * sizeof(double));  // MAX and SUM of the softmax
  }
  share.gradient_bytes = plan.data_shards() > 1 ? share.parameters * element : 0;
  return share;
}

std::string line_of(const std::string& name, const Share& share) {
  return name + with_commas(share.parameters) + " parameters, " + bytes_text(share.memory) +
         "; sums " + bytes_text(share.group_bytes) + " in the model group, " +
         bytes_text(share.gradient_bytes) + " of gradients";
}

}  // namespace

std::vector<std::string> describe_split(const RunPlan& plan, const Config& config,
                                        const TrainingData& data) {
  std::vector<std::string> lines;
  if (plan.model_ranks == 1) {
    return lines;
  }
  lines.push_back("split:    " + split_rule(config, plan.layout.widths().back()).describe());
  Share total;
  for (std::size_t n = 0; n < plan.part.layers().size(); ++n) {
    const Share share = share_of(plan, config, data, n);
    total += share;
    const auto& widths = plan.layout.widths();
    lines.push_back(line_of("layer " + std::to_string(n + 1) + ":  " + std::to_string(widths[n]) +
                                " x " + std::to_string(widths[n + 1]) + ", " +
                                word_for(plan.part.layers()[n].split) + ": ",
                            share));
  }
  lines.push_back(line_of("in all:   a rank holds ", total) + " an update");
  return lines;
}

}  // namespace dnn
