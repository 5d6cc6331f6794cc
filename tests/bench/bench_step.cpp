// What a training step costs, beside what its matrix products alone cost in the same run. Run by
// mpirun on any number of ranks; rank 0 prints one line of JSON.
//
//   mpirun -np 2 bench_step --widths 784,512,256,10 --rows 64 [--exchange node] [--precision float]
//   mpirun -np 2 bench_step --widths 512,512,200000 --rows 64 --model-parallel 2

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "bench/median.hpp"
#include "dnn/comm/collective_error.hpp"
#include "dnn/comm/node_cores.hpp"
#include "dnn/comm/program.hpp"
#include "dnn/comm/rank_grid.hpp"
#include "dnn/core/stopwatch.hpp"
#include "dnn/core/threads.hpp"
#include "dnn/data/batch_loader.hpp"
#include "dnn/data/sampler.hpp"
#include "dnn/nn/initializer.hpp"
#include "dnn/options/choices.hpp"
#include "dnn/parallel/make_exchange.hpp"
#include "dnn/parallel/split_rule.hpp"
#include "dnn/plan/run_plan.hpp"
#include "dnn/products/dense_products.hpp"
#include "dnn/train/training_step.hpp"

namespace dnn {
namespace {

struct Arguments {
  std::vector<std::size_t> widths = {784, 512, 256, 10};
  std::size_t rows = 64;  ///< samples a rank, or a model group
  std::size_t model_parallel = 1;
  std::optional<std::size_t> logical_shards;
  std::string exchange = "auto";
  std::string optimizer = "sgd";
  std::string precision = "float";
  std::string compress = "none";
  double bucket_mib = 1;
  double seconds = 2;
  std::size_t threads = 1;
  bool products = true;
};

Arguments parse(int argc, char** argv) {
  Arguments a;
  CLI::App app("Measures training steps.", "bench_step");
  app.add_option("--widths", a.widths)->delimiter(',');
  app.add_option("--rows", a.rows, "samples a rank, or a model group");
  app.add_option("--model-parallel", a.model_parallel, "ranks of a model group");
  app.add_option("--logical-shards", a.logical_shards,
                 "parts of a batch; default: as dnn_train chooses, none with bf16");
  app.add_option("--exchange", a.exchange);
  app.add_option("--optimizer", a.optimizer);
  app.add_option("--precision", a.precision);
  app.add_option("--compress", a.compress);
  app.add_option("--bucket-mib", a.bucket_mib);
  app.add_option("--seconds", a.seconds);
  app.add_option("--threads", a.threads);
  app.add_option("--products", a.products, "measure the products alone as well");
  app.parse(argc, argv);
  return a;
}

/// A data set of bytes in memory whose numbers do not matter.
Dataset synthetic_data(std::size_t samples, std::size_t features, std::size_t classes) {
  Dataset data;
  data.origin = "synthetic";
  data.samples = samples;
  data.features = features;
  data.element = ElementType::u8;
  data.row_elements = features;
  std::vector<std::uint8_t> values(samples * features);
  std::uint32_t state = 1;
  for (std::uint8_t& value : values) {
    state = state * 1664525 + 1013904223;
    value = static_cast<std::uint8_t>(state >> 24);
  }
  std::vector<std::int32_t> labels(samples);
  for (std::size_t i = 0; i < samples; ++i) {
    labels[i] = static_cast<std::int32_t>(i * 7919 % classes);
  }
  data.values = Bytes::from(std::move(values));
  data.labels = Bytes::from(std::move(labels));
  data.class_names.resize(classes);
  return data;
}

/// The products of one step alone, on buffers of the same shapes.
template <class T>
class Products {
 public:
  Products(const ParameterLayout& layout, std::size_t rows)
      : layout_(layout), rows_(rows), values_(layout.size()), gradients_(layout.size()) {
    for (std::size_t n = 0; n <= layout.layers().size(); ++n) {
      nodes_.emplace_back(rows * width(n));
      errors_.emplace_back(rows * width(n));
      std::fill_n(nodes_.back().data(), nodes_.back().size(), T(0.01));
      std::fill_n(errors_.back().data(), errors_.back().size(), T(0.01));
    }
  }

  void run() {
    const auto& layers = layout_.layers();
    for (std::size_t n = 0; n < layers.size(); ++n) {
      products_.forward(X(n), W(n), view(nodes_[n + 1], n + 1));
    }
    for (std::size_t n = layers.size(); n-- > 0;) {
      const MatrixView<T> dW{gradients_.data() + layers[n].weights.begin, layers[n].inputs,
                             layers[n].outputs};
      const Range all{0, rows_};
      const ShardSum<T> sum{
          {0, 1}, dW, {gradients_.data() + layers[n].bias.begin, layers[n].outputs}};
      products_.backward_parameters(X(n), view(errors_[n + 1], n + 1), {&all, 1}, {&sum, 1});
      if (n > 0) {
        products_.backward_input(view(errors_[n + 1], n + 1), W(n), {0, layers[n].outputs},
                                 view(errors_[n], n));
      }
    }
  }

 private:
  /// Of the nodes that this rank has.
  [[nodiscard]] std::size_t width(std::size_t n) const {
    return n == 0 ? layout_.widths().front() : layout_.layers()[n - 1].outputs;
  }
  MatrixView<T> view(AlignedBuffer<T>& buffer, std::size_t n) {
    return {buffer.data(), rows_, width(n)};
  }
  MatrixView<const T> X(std::size_t n) { return view(nodes_[n], n); }
  MatrixView<const T> W(std::size_t n) {
    const LayerLayout& layer = layout_.layers()[n];
    return {values_.data() + layer.weights.begin, layer.inputs, layer.outputs};
  }

  ParameterLayout layout_;
  std::size_t rows_;
  DenseProducts<T> products_;
  AlignedBuffer<T> values_;
  AlignedBuffer<T> gradients_;
  std::vector<AlignedBuffer<T>> nodes_;
  std::vector<AlignedBuffer<T>> errors_;
};

/// Floating-point operations of the products of one step of one rank.
double step_flops(const ParameterLayout& layout, std::size_t rows) {
  double flops = 0;
  for (const LayerLayout& layer : layout.layers()) {
    const int products = &layer == &layout.layers().front() ? 2 : 3;
    flops += 2.0 * products * static_cast<double>(rows * layer.inputs * layer.outputs);
  }
  return flops;
}

/// This process's memory in MiB, what it shares with others counted in parts (Pss).
double memory_mib() {
  std::ifstream file("/proc/self/smaps_rollup");
  for (std::string word; file >> word;) {
    double kib = 0;
    if (word == "Pss:" && file >> kib) {
      return kib / 1024;
    }
  }
  return 0;
}

ExchangeSettings exchange_settings(const Arguments& a, const Node& node) {
  const std::size_t cores = NodeCores::find(node.ranks()).node;
  return {choices<ExchangeKind>().at(a.exchange),
          static_cast<std::size_t>(a.bucket_mib * (1 << 20)), a.compress == "bf16",
          static_cast<std::size_t>(node.size()) * a.threads > cores};
}

Config config_of(const Arguments& a) {
  Config config;
  config.precision = a.precision == "bf16" ? Precision::bf16 : Precision::f32;
  return config;
}

/// Trains for the time given, in turns with the products alone, and holds what it measured.
class Measurement {
 public:
  Measurement(const Arguments& a, RankGrid& grid)
      : a_(a),
        world_(grid.world()),
        rule_(split_rule(config_of(a), a.widths.back())),
        layout_(a.widths, rule_.splits(a.widths, grid.model_ranks()), grid.model_ranks(),
                grid.model_shard(), rule_.class_blocks),
        batch_(a.rows * grid.data_shards()),
        shards_(a.precision == "bf16" ? 0 : a.logical_shards.value_or(logical_shards_of(batch_))),
        data_(synthetic_data(32 * batch_, a.widths.front(), a.widths.back())),
        sampler_({.samples = data_.samples,
                  .batch_size = batch_,
                  .seed = 1,
                  .ranks = grid.data_shards(),
                  .rank = grid.data_shard(),
                  .logical_shards = shards_}),
        loader_(Gatherer<float>(data_, {std::vector<double>(data_.features, 127.5),
                                        std::vector<double>(data_.features, 1.0 / 73.9)}),
                std::max<std::size_t>(1, sampler_.max_share())) {
    ExchangeSettings settings = exchange_settings(a, grid.node());
    settings.logical_shards = shards_;
    const Communicator& shards = grid.data_group();
    choice_ = choose_exchange(settings, shards, grid.data_domain(), layout_.size() * sizeof(float));
    exchange_ = make_exchange<float>(choice_, settings, shards, grid.data_domain(), layout_.size());
    step_.emplace(layout_,
                  TrainingStep<float>::Settings{
                      .max_rows = std::max<std::size_t>(1, sampler_.max_share()),
                      .products = a.precision == "bf16" ? ProductKind::bf16 : ProductKind::full,
                      .largest_input = 127.5 / 73.9,
                      .logical_shards = shards_,
                      .logical = part_of(shards_, grid.data_shards(), grid.data_shard())},
                  LossSettings(),
                  OptimizerSettings{.kind = choices<OptimizerKind>().at(a.optimizer)}, *exchange_,
                  grid.is_split() ? &grid.model_group() : nullptr);
    step_->set_values([&](std::span<float> v) { initialize(layout_, Initializer::he, 1, v); });
    if (a.products) {
      products_.emplace(layout_, a.rows);
    }
  }

  void run() {
    pass(4);  // warms up
    clear();
    const Stopwatch watch;
    pass(4);
    // Long passes, as an epoch is one: the first batch of a pass has to be waited for.
    const double step = world_.all_reduce(watch.seconds() / 8, Reduction::max);
    const auto steps = static_cast<std::size_t>(std::clamp(0.2 / step, 4.0, 2000.0));
    clear();
    const Stopwatch all;
    do {
      pass(steps);
    } while (world_.all_reduce(all.seconds(), Reduction::max) < a_.seconds);
  }

  [[nodiscard]] nlohmann::ordered_json report() const {
    const double step_us = 1e6 * test::median(step_seconds_);
    nlohmann::ordered_json line = {
        {"widths", a_.widths},
        {"rows", a_.rows},
        {"ranks", world_.size()},
        {"model_parallel", a_.model_parallel},
        {"logical_shards", shards_},
        {"threads", a_.threads},
        {"precision", a_.precision},
        {"optimizer", a_.optimizer},
        {"exchange", word_for(choice_.kind)},
        {"steps", step_seconds_.size()},
        {"step_us", step_us},
        {"samples_per_second", static_cast<double>(batch_) / step_us * 1e6},
        {"load_us", phase_us(&PhaseSeconds::load)},
        {"compute_us", phase_us(&PhaseSeconds::compute)},
        {"exchange_us", phase_us(&PhaseSeconds::exchange)},
        {"update_us", phase_us(&PhaseSeconds::update)},
        {"parameters_a_rank", layout_.parameter_count()},
        {"memory_mib_most", world_.all_reduce(memory_mib(), Reduction::max)},
        {"memory_mib_all_ranks", world_.all_reduce(memory_mib(), Reduction::sum)}};
    if (products_) {
      const double product_us = 1e6 * test::median(product_seconds_);
      line["products_us"] = product_us;
      line["products_gflops"] = step_flops(layout_, a_.rows) / product_us / 1e3;
      line["fraction_of_products"] = product_us / step_us;
    }
    return line;
  }

 private:
  /// The median of a phase over all steps.
  [[nodiscard]] double phase_us(double PhaseSeconds::*phase) const {
    std::vector<double> seconds;
    for (const PhaseSeconds& step : phases_) {
      seconds.push_back(step.*phase);
    }
    return 1e6 * test::median(seconds);
  }

  void clear() {
    phases_.clear();
    step_seconds_.clear();
    product_seconds_.clear();
  }

  void pass(std::size_t steps) {
    const std::size_t in_epoch = sampler_.steps();
    loader_.start(
        [this, in_epoch](std::size_t s, std::vector<std::uint64_t>& samples) {
          sampler_.batch(s / in_epoch, s % in_epoch, samples);
        },
        steps);
    for (std::size_t s = 0; s < steps; ++s) {
      Stopwatch watch;
      const Batch<float> got = loader_.next();
      PhaseSeconds phases{.load = watch.seconds()};
      (void)step_->run(got, batch_, s / in_epoch, 1e-3, phases);
      step_seconds_.push_back(watch.seconds());
      phases_.push_back(phases);
    }
    for (std::size_t s = 0; products_ && s < steps; ++s) {
      const Stopwatch watch;
      products_->run();
      product_seconds_.push_back(watch.seconds());
    }
  }

  const Arguments& a_;
  const Communicator& world_;
  SplitRule rule_;
  ParameterLayout layout_;
  std::size_t batch_;   ///< global
  std::size_t shards_;  ///< logical ones of a batch; 0: none
  Dataset data_;
  Sampler sampler_;
  BatchLoader<float> loader_;
  ExchangeChoice choice_;
  std::unique_ptr<GradientExchange<float>> exchange_;
  std::optional<TrainingStep<float>> step_;
  std::optional<Products<float>> products_;
  std::vector<PhaseSeconds> phases_;  ///< of each step
  std::vector<double> step_seconds_;
  std::vector<double> product_seconds_;
};

}  // namespace
}  // namespace dnn

int main(int argc, char** argv) {
  return dnn::run_mpi_program(argc, argv, "bench_step", [&](const dnn::Communicator& world) {
    const dnn::Arguments arguments = dnn::agree(world, [&] { return dnn::parse(argc, argv); });
    dnn::set_threads(static_cast<int>(arguments.threads));
    dnn::Node node(world);
    dnn::RankGrid grid =
        dnn::agree(world, [&] { return dnn::RankGrid(world, node, arguments.model_parallel); });
    {
      dnn::Measurement measurement(arguments, grid);
      measurement.run();
      const auto line = measurement.report();
      if (world.is_root()) {
        std::printf("%s\n", line.dump().c_str());
      }
    }
    grid.close();
    node.close();
    return 0;
  });
}
