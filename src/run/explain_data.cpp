#include "dnn/run/explain_data.hpp"

#include <fmt/format.h>

#include <cstdio>

#include "dnn/comm/collective_error.hpp"
#include "dnn/comm/program.hpp"
#include "dnn/data/describe_schema.hpp"
#include "dnn/readers/open_dataset.hpp"
#include "dnn/report/reporter.hpp"
#include "dnn/store/training_data.hpp"

namespace dnn {

namespace {

void print(const std::string& line) {
  std::printf("%s\n", line.c_str());
}

}  // namespace

int explain_data(const Config& config, const Communicator& world) {
  agree(world, [&] {
    if (!world.is_root()) {
      return;
    }
    const Dataset data = open_dataset(config.explain_data, Part::train,
                                      read_options_of(config, config.precision == Precision::f64));
    print(fmt::format("{}: {} samples, {} inputs, {}", config.explain_data,
                      with_commas(data.samples), with_commas(data.features),
                      describe_targets(data)));
    for (const std::string& note : data.notes) {
      print("note: " + note);
    }
    for (const std::string& line : describe(data.schema)) {
      print(line);
    }
  });
  return exit_ok;
}

}  // namespace dnn
