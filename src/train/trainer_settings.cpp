#include "dnn/train/trainer_settings.hpp"

namespace dnn {

double OptimizationSettings::learning_rate() const {
  if (lr) {
    return *lr;
  }
  switch (optimizer) {
    case OptimizerKind::sgd:
      return 0.1;
    case OptimizerKind::momentum:
    case OptimizerKind::nesterov:
      return 0.02;
    default:
      return 0.001;
  }
}

}  // namespace dnn
