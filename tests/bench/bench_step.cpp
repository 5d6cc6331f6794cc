// What a training step costs, beside what its matrix products alone cost in the same run. Run by
// mpirun on any number of ranks; rank 0 prints one line of JSON.
//
//   mpirun -np 2 bench_step --widths 784,512,256,10 --rows 64 [--exchange node] [--precision float]

#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <functional>
#include <nlohmann/json.hpp>
#include <vector>

#include "bench/median.hpp"
#include "dnn/comm/agree.hpp"
#include "dnn/comm/node_cores.hpp"
#include "dnn/comm/program.hpp"
#include "dnn/core/threads.hpp"
#include "dnn/data/batch_loader.hpp"
#include "dnn/data/sampler.hpp"
#include "dnn/nn/initializer.hpp"
#include "dnn/nn/matrix_product.hpp"
#include "dnn/parallel/make_exchange.hpp"
#include "dnn/train/choices.hpp"
#include "dnn/train/training_step.hpp"

namespace dnn {
namespace {

struct Arguments {
  std::vector<std::size_t> widths = {784, 512, 256, 10};
  std::size_t rows = 64;  ///< samples a rank
  std::string exchange = "auto";
  std::string optimizer = "sgd";
  std::string precision = "float";
  std::string compress = "none";
  double bucket_mib = 4;
  double seconds = 2;
  std::size_t threads = 1;
  bool products = true;
};

Arguments parse(int argc, char** argv) {
  Arguments a;
  CLI::App app("Measures training steps.", "bench_step");
  app.add_option("--widths", a.widths)->delimiter(',');
  app.add_option("--rows", a.rows, "samples a rank");
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
    for (const std::size_t width : layout.widths()) {
      nodes_.emplace_back(rows * width);
      errors_.emplace_back(rows * width);
      std::fill_n(nodes_.back().data(), nodes_.back().size(), T(0.01));
      std::fill_n(errors_.back().data(), errors_.back().size(), T(0.01));
    }
  }

  void run() {
    const auto& layers = layout_.layers();
    for (std::size_t n = 0; n < layers.size(); ++n) {
      multiply<T>(Transpose::no, X(n), Transpose::no, W(n), T{0}, view(nodes_[n + 1], n + 1));
    }
    for (std::size_t n = layers.size(); n-- > 0;) {
      multiply<T>(
          Transpose::yes, X(n), Transpose::no, view(errors_[n + 1], n + 1), T{0},
          {gradients_.data() + layers[n].weights.begin, layers[n].inputs, layers[n].outputs});
      if (n > 0) {
        multiply<T>(Transpose::no, view(errors_[n + 1], n + 1), Transpose::yes, W(n), T{0},
                    view(errors_[n], n));
      }
    }
  }

 private:
  MatrixView<T> view(AlignedBuffer<T>& buffer, std::size_t n) {
    return {buffer.data(), rows_, layout_.widths()[n]};
  }
  MatrixView<const T> X(std::size_t n) { return view(nodes_[n], n); }
  MatrixView<const T> W(std::size_t n) {
    const LayerLayout& layer = layout_.layers()[n];
    return {values_.data() + layer.weights.begin, layer.inputs, layer.outputs};
  }

  ParameterLayout layout_;
  std::size_t rows_;
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

nlohmann::ordered_json measure(const Arguments& a, const Communicator& world, Node& node) {
  using T = float;
  const ParameterLayout layout(a.widths);
  const NodeCores cores = NodeCores::find(node.ranks());
  const bool shared = static_cast<std::size_t>(node.size()) * a.threads > cores.node;
  const ExchangeSettings exchange_settings{choices<ExchangeKind>().at(a.exchange),
                                           static_cast<std::size_t>(a.bucket_mib * (1 << 20)),
                                           a.compress == "bf16", shared};
  const ExchangeChoice choice =
      choose_exchange(exchange_settings, world, node, layout.size() * sizeof(T));
  const auto exchange = make_exchange<T>(choice, exchange_settings, world, node, layout.size());
  const auto precision = a.precision == "bf16" ? ProductPrecision::bf16 : ProductPrecision::full;
  TrainingStep<T> step(layout, {.max_rows = a.rows, .products = precision}, SoftmaxCrossEntropy(),
                       {.kind = choices<OptimizerKind>().at(a.optimizer)}, *exchange);
  step.set_values([&](std::span<T> v) { initialize(layout, Initializer::he, 1, v); });

  const auto ranks = static_cast<std::size_t>(world.size());
  const std::size_t batch = a.rows * ranks;
  const Dataset data =
      synthetic_data(std::max<std::size_t>(32 * batch, 4096), a.widths.front(), a.widths.back());
  const Sampler sampler({.samples = data.samples,
                         .batch_size = batch,
                         .seed = 1,
                         .ranks = ranks,
                         .rank = static_cast<std::size_t>(world.rank())});
  const std::size_t steps_per_epoch = data.samples / batch;  // whole batches only
  const Normalizer normalizer{std::vector<double>(data.features, 127.5),
                              std::vector<double>(data.features, 1.0 / 73.9)};
  BatchLoader<T> loader(Gatherer<T>(data, normalizer), a.rows);
  std::optional<Products<T>> products;
  if (a.products) {
    products.emplace(layout, a.rows);
  }

  PhaseSeconds seconds;
  std::vector<double> step_seconds;
  std::vector<double> product_seconds;
  std::size_t epoch = 0;
  double training = 0;
  const auto pass = [&] {
    loader.start(
        [&sampler, epoch](std::size_t s, std::vector<std::uint64_t>& samples) {
          sampler.batch(epoch, s, samples);
        },
        steps_per_epoch);
    ++epoch;
    for (std::size_t s = 0; s < steps_per_epoch; ++s) {
      Stopwatch watch;
      const Batch<T> got = loader.next();
      seconds.load += watch.seconds();
      (void)step.run(got, batch, epoch, 1e-3, seconds);
      step_seconds.push_back(watch.seconds());
    }
    for (std::size_t s = 0; products && s < steps_per_epoch; ++s) {
      Stopwatch watch;
      products->run();
      product_seconds.push_back(watch.seconds());
    }
  };
  pass();  // warms up
  seconds = {};
  step_seconds.clear();
  product_seconds.clear();
  const Stopwatch all;
  while (world.all_reduce(all.seconds(), Reduction::max) < a.seconds) {
    Stopwatch watch;
    pass();
    training += watch.seconds();
  }
  const auto steps = static_cast<double>(step_seconds.size());
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const double step_us = 1e6 * test::median(step_seconds);
  nlohmann::ordered_json line = {{"widths", a.widths},
                                 {"rows", a.rows},
                                 {"ranks", ranks},
                                 {"threads", a.threads},
                                 {"precision", a.precision},
                                 {"optimizer", a.optimizer},
                                 {"exchange", word_for(choice.kind)},
                                 {"steps", step_seconds.size()},
                                 {"step_us", step_us},
                                 {"samples_per_second", static_cast<double>(batch) / step_us * 1e6},
                                 {"load_us", 1e6 * seconds.load / steps},
                                 {"compute_us", 1e6 * seconds.compute / steps},
                                 {"exchange_us", 1e6 * seconds.exchange / steps},
                                 {"update_us", 1e6 * seconds.update / steps},
                                 {"peak_mib", static_cast<double>(usage.ru_maxrss) / 1024}};
  if (products) {
    const double product_us = 1e6 * test::median(product_seconds);
    line["products_us"] = product_us;
    line["products_gflops"] = step_flops(layout, a.rows) / product_us / 1e3;
    line["fraction_of_products"] = product_us / step_us;
  }
  return line;
}

}  // namespace
}  // namespace dnn

int main(int argc, char** argv) {
  return dnn::run_mpi_program(argc, argv, "bench_step", [&](const dnn::Communicator& world) {
    const dnn::Arguments arguments = dnn::agree(world, [&] { return dnn::parse(argc, argv); });
    dnn::set_threads(static_cast<int>(arguments.threads));
    dnn::Node node(world);
    const auto line = dnn::measure(arguments, world, node);
    if (world.is_root()) {
      std::printf("%s\n", line.dump().c_str());
    }
    node.close();
    return 0;
  });
}
