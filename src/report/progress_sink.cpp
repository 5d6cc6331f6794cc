#include "dnn/report/progress_sink.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

namespace dnn {

nlohmann::ordered_json StepRecord::to_json() const {
  nlohmann::ordered_json line = {{"update", update}, {"epoch", epoch}, {"updates", updates}};
  if (skipped > 0) {
    line["skipped"] = skipped;
  }
  for (const auto& [key, value] :
       {std::pair("loss", loss), std::pair("gradient_norm", gradient_norm),
        std::pair("learning_rate", learning_rate),
        std::pair("samples_per_second", samples_per_second)}) {
    if (!std::isnan(value)) {
      line[key] = value;
    }
  }
  for (const auto& [phase, value] : seconds) {
    line["seconds"][phase] = value;
  }
  line["time"] = time;
  return line;
}

}  // namespace dnn
