// What it costs to read a data set with several nodes. The ranks of one host stand for nodes: those
// that give different numbers share no memory. Rank 0 prints a line of JSON.
//
//   mpirun -np 2 bench_reading --data table.csv [--nodes 2] [--access local] [--threads 1]
//
// Seconds and processor time are those of the slowest rank, of reading and of what makes the data
// complete on each node; memory is the largest peak of a rank, text that is mapped included.

#include <CLI/CLI.hpp>
#include <cstddef>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "dnn/comm/collective_error.hpp"
#include "dnn/comm/program.hpp"
#include "dnn/comm/rank_grid.hpp"
#include "dnn/core/available_memory.hpp"
#include "dnn/core/stopwatch.hpp"
#include "dnn/options/choices.hpp"
#include "dnn/store/read_parts.hpp"
#include "dnn/store/shared_dataset.hpp"

namespace dnn {
namespace {

struct Arguments {
  std::string data;
  int nodes = 1;
  std::string access = "auto";
  std::size_t threads = 1;  ///< of a rank
};

Arguments parse(int argc, char** argv) {
  Arguments a;
  CLI::App app("Measures the reading of data.", "bench_reading");
  app.add_option("--data", a.data)->required();
  app.add_option("--nodes", a.nodes);
  app.add_option("--access", a.access);
  app.add_option("--threads", a.threads);
  app.parse(argc, argv);
  return a;
}

double processor_seconds() {
  std::timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

nlohmann::ordered_json measure(const Communicator& world, const Arguments& a) {
  Node node(world, world.rank() % a.nodes);
  const RankGrid grid(world, node, 1);
  DataSettings settings;
  settings.data = a.data;
  settings.data_access = choices<DataAccess>().at(a.access);
  const std::size_t before = resident_memory();
  const double processor = processor_seconds();
  const Stopwatch reading;
  std::optional<DataParts> parts = read_on_leaders(settings, false, a.threads, grid);
  const double read_seconds = reading.seconds();
  const double read_processor = processor_seconds() - processor;
  const std::size_t read_peak = peak_memory();
  const Stopwatch sharing;
  const Dataset data = share_dataset(
      world, node, parts ? std::optional(std::move(parts->train)) : std::nullopt, false);
  const auto largest = [&world](double own) { return world.all_reduce(own, Reduction::max); };
  const auto mib = [&](std::size_t bytes) {
    return largest(static_cast<double>(bytes - std::min(bytes, before)) / (1 << 20));
  };
  nlohmann::ordered_json line = {
      {"nodes", a.nodes},
      {"access", a.access},
      {"samples", data.samples},
      {"features_mib", static_cast<double>(data.values.size()) / (1 << 20)},
      {"read_s", largest(read_seconds)},
      {"read_processor_s", largest(read_processor)},
      {"complete_s", largest(sharing.seconds())},
      {"read_peak_mib", mib(read_peak)},
      {"peak_mib", mib(peak_memory())}};
  node.close();
  return line;
}

}  // namespace
}  // namespace dnn

int main(int argc, char** argv) {
  return dnn::run_mpi_program(argc, argv, "bench_reading", [&](const dnn::Communicator& world) {
    const dnn::Arguments a = dnn::agree(world, [&] { return dnn::parse(argc, argv); });
    const auto line = dnn::measure(world, a);
    if (world.is_root()) {
      std::printf("%s\n", line.dump().c_str());
      std::fflush(stdout);
    }
    return 0;
  });
}
