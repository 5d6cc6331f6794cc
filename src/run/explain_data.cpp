#include "dnn/run/explain_data.hpp"

#include <fmt/format.h>

#include "dnn/comm/collective_error.hpp"
#include "dnn/comm/program.hpp"
#include "dnn/core/messages.hpp"
#include "dnn/data/describe_schema.hpp"
#include "dnn/readers/open_dataset.hpp"
#include "dnn/report/reporter.hpp"
#include "dnn/run/answer_code.hpp"
#include "dnn/store/read_parts.hpp"

namespace dnn {

int explain_data(const Config& config, const Communicator& world) {
  agree(world, [&] {
    if (!world.is_root()) {
      return;
    }
    const Dataset data = open_dataset(config.explain_data, Part::train,
                                      read_options_of(config, config.precision == Precision::f64));
    say(fmt::format("{}: {} samples, {} inputs, {}", config.explain_data, with_commas(data.samples),
                    with_commas(data.features), describe_targets(data)));
    for (const std::string& note : data.notes) {
      say("note: " + note);
    }
    for (const std::string& line : describe(data.schema)) {
      say(line);
    }
  });
  return answer_code("dnn_train", exit_ok);
}

}  // namespace dnn
