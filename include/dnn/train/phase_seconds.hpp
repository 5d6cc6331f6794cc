#pragma once

namespace dnn {

/// Where a rank's time went, in seconds.
struct PhaseSeconds {
  double load = 0;      ///< waiting for a batch that was not ready
  double compute = 0;   ///< forward, loss, backward
  double exchange = 0;  ///< combining gradients and publishing values, waiting for others included
  double update = 0;    ///< the optimizer
  double evaluation = 0;  ///< validation and test
};

}  // namespace dnn
