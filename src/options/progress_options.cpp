#include "dnn/options/progress_options.hpp"

#include "dnn/options/option_rules.hpp"
#include "dnn/report/progress_settings.hpp"

namespace dnn {

std::vector<Option> progress_options() {
  return {
      {"log-every", "Progress", "SECONDS", &Config::log_every,
       "seconds between lines within an epoch where the output is no terminal; 0: a line an epoch "
       "only",
       Binding::job, at_least_0(&Config::log_every)},
      {"step-log", "Progress", "N|auto|off", &Config::step_log,
       "updates between lines of steps.jsonl (loss, gradient norm, rate, seconds by phase); auto "
       "follows from network, batch and number of updates, at most 20,000 lines",
       Binding::job, [](const Config& c) { return reason_of(c.step_log, parse_step_log); }},
      {"tensorboard", "Progress", "", words_or_bare(&Config::tensorboard, "scalars"),
       "write event files for TensorBoard into the folder tensorboard of the run: scalars (also "
       "--tensorboard alone) or histograms of W, B, dW and dB after each epoch besides; default: "
       "off",
       Binding::job},
      {"trace", "Progress", "FIRST-LAST", &Config::trace,
       "updates (from 1) of which trace.json shows the phases on every rank, for ui.perfetto.dev "
       "and chrome://tracing",
       Binding::job,
       [](const Config& c) {
         return c.trace.empty() ? std::string() : reason_of(c.trace, UpdateRange::parse);
       }},
      {"openmetrics", "Progress", "FILE", &Config::openmetrics,
       "keep a text file in the OpenMetrics format up to date, for the textfile collector of "
       "node_exporter (name it *.prom)",
       Binding::job},
  };
}

}  // namespace dnn
