#include "dnn/comm/pulse.hpp"

namespace dnn {

void PulseRecorder::record_in(Pulse* pulse) {
  Pulse& to = pulse != nullptr ? *pulse : own_;
  const Pulse& from = *pulse_.load();
  if (&to != &from) {
    to.beats.store(from.beats.load());
    to.update.store(from.update.load());
    to.activity.store(from.activity.load());
    to.operation.store(from.operation.load());
  }
  pulse_.store(&to);
}

}  // namespace dnn
