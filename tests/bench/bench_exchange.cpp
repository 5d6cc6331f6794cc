// What it costs to combine the ranks' gradients and publish the values: each strategy, in turns
// with plain MPI_Allreduce, from 1 KiB to 64 MiB. Rank 0 prints a line of JSON a size.
//
//   mpirun -np 2 bench_exchange [--strategies allreduce,node] [--most-mib 64] [--logical-shards 2]
//
// With logical shards, each strategy's sum along their tree as well, and the other way to a sum
// that does not depend on its order: integers of 64 bits, through one MPI_Allreduce.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "bench/median.hpp"
#include "dnn/comm/collective_error.hpp"
#include "dnn/comm/node_cores.hpp"
#include "dnn/comm/program.hpp"
#include "dnn/core/largest_magnitude.hpp"
#include "dnn/core/stopwatch.hpp"
#include "dnn/core/sum_of_squares.hpp"
#include "dnn/core/threads.hpp"
#include "dnn/options/choices.hpp"
#include "dnn/parallel/make_exchange.hpp"

namespace dnn {
namespace {

struct Arguments {
  std::vector<std::string> strategies = {"allreduce", "node", "overlap"};
  bool compress = false;  ///< also node with bf16 between nodes
  double least_kib = 1;
  double most_mib = 64;
  double bucket_mib = 1;  ///< of overlap
  double seconds = 0.3;   ///< for each strategy and size
  std::size_t logical_shards = 0;
  double backward_ms = 0;  ///< a backward that leaves the cores free (it sleeps) before combine
};

Arguments parse(int argc, char** argv) {
  Arguments a;
  CLI::App app("Measures gradient exchanges.", "bench_exchange");
  app.add_option("--strategies", a.strategies)->delimiter(',');
  app.add_flag("--compress", a.compress);
  app.add_option("--least-kib", a.least_kib);
  app.add_option("--most-mib", a.most_mib);
  app.add_option("--seconds", a.seconds);
  app.add_option("--logical-shards", a.logical_shards);
  app.add_option("--backward-ms", a.backward_ms);
  app.add_option("--bucket-mib", a.bucket_mib);
  app.parse(argc, argv);
  return a;
}

using Exchange = GradientExchange<float>;

/// One step's exchange, as a training step calls it, without the optimizer, of gradients that this
/// rank has just written. Seconds.
double exchange_once(const Communicator& world, Exchange& exchange, double backward_ms) {
  std::fill(exchange.gradients().begin(), exchange.gradients().end(), 1.0F);
  world.barrier();
  const Stopwatch watch;
  constexpr std::size_t layers = 8;
  for (std::size_t layer = layers; layer-- > 0;) {
    if (backward_ms > 0) {
      std::this_thread::sleep_for(std::chrono::duration<double, std::milli>(backward_ms / layers));
    }
    exchange.ready(part_of(exchange.values().size(), layers, layer));
  }
  (void)exchange.combine(true);
  exchange.publish();
  return watch.seconds();
}

/// The sum of all ranks' numbers, in any order: at a scale that the ranks agree on, as integers.
double integers_once(const Communicator& world, std::vector<float>& numbers,
                     std::vector<std::int64_t>& integers) {
  std::fill(numbers.begin(), numbers.end(), 1.0F);
  world.barrier();
  const Stopwatch watch;
  const double largest =
      world.all_reduce<double>(largest_magnitude(std::span<const float>(numbers)), Reduction::max);
  const int bits = 62 - exponent_above(world.size()) - exponent_above(largest);
  const double scale = std::ldexp(1.0, bits);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    integers[i] = static_cast<std::int64_t>(static_cast<double>(numbers[i]) * scale);
  }
  world.all_reduce(std::span(integers), Reduction::sum);
  const double unit = std::ldexp(1.0, -bits);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    numbers[i] = static_cast<float>(static_cast<double>(integers[i]) * unit);
  }
  return watch.seconds();
}

nlohmann::ordered_json measure(const Arguments& a, const Communicator& world, Node& node,
                               std::size_t size) {
  const bool shared = static_cast<std::size_t>(node.size()) > NodeCores::find(node.ranks()).node;
  std::map<std::string, std::unique_ptr<Exchange>> exchanges;
  const auto add = [&](const std::string& name, const ExchangeSettings& settings) {
    const auto choice = choose_exchange(settings, world, node, size * sizeof(float));
    exchanges[name] = make_exchange<float>(choice, settings, world, node, size);
  };
  for (const std::string& name : a.strategies) {
    add(name, {.kind = choices<ExchangeKind>().at(name),
               .bucket_bytes = static_cast<std::size_t>(a.bucket_mib * (1 << 20)),
               .shared_cores = shared});
  }
  for (const std::string& name : a.strategies) {
    if (a.logical_shards > 0) {
      add(name + "+tree", {.kind = choices<ExchangeKind>().at(name),
                           .bucket_bytes = static_cast<std::size_t>(a.bucket_mib * (1 << 20)),
                           .shared_cores = shared,
                           .logical_shards = a.logical_shards});
    }
  }
  if (a.compress) {
    add("node+bf16", {.kind = ExchangeKind::node, .compress = true, .shared_cores = shared});
  }
  std::map<std::string, std::vector<double>> seconds;
  for (auto& [name, exchange] : exchanges) {
    (void)exchange_once(world, *exchange, 0);
  }
  std::vector<float> numbers(a.logical_shards > 0 ? size : 0);
  std::vector<std::int64_t> integers(numbers.size());
  const Stopwatch all;
  const double limit = a.seconds * static_cast<double>(exchanges.size());
  do {
    for (auto& [name, exchange] : exchanges) {
      for (int i = 0; i < 10; ++i) {
        seconds[name].push_back(exchange_once(world, *exchange, a.backward_ms));
      }
    }
    for (int i = 0; i < 10 && a.logical_shards > 0; ++i) {
      seconds["integers"].push_back(integers_once(world, numbers, integers));
    }
  } while (world.all_reduce(all.seconds(), Reduction::max) < limit);
  nlohmann::ordered_json line = {
      {"bytes", size * sizeof(float)}, {"ranks", world.size()}, {"ranks_on_node", node.size()}};
  for (const auto& [name, times] : seconds) {
    line[name + "_us"] = 1e6 * test::median(times);
  }
  return line;
}

}  // namespace
}  // namespace dnn

int main(int argc, char** argv) {
  return dnn::run_mpi_program(argc, argv, "bench_exchange", [&](const dnn::Communicator& world) {
    const dnn::Arguments a = dnn::agree(world, [&] { return dnn::parse(argc, argv); });
    dnn::set_threads(1);
    for (double bytes = a.least_kib * 1024; bytes <= a.most_mib * (1 << 20); bytes *= 4) {
      dnn::Node node(world);
      const auto line = dnn::measure(a, world, node, static_cast<std::size_t>(bytes) / 4);
      if (world.is_root()) {
        std::printf("%s\n", line.dump().c_str());
        std::fflush(stdout);
      }
      node.close();
    }
    return 0;
  });
}
