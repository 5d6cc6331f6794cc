#pragma once

#include <string>

namespace dnn {

/// What may ask a training to stop.
class StopSource {
 public:
  virtual ~StopSource() = default;

  /// Whether this process is asked to stop. Cheap: it is called after every few updates.
  [[nodiscard]] virtual bool requested() const = 0;
  /// What asked for it ("SIGTERM", ...); empty if nothing has.
  [[nodiscard]] virtual std::string reason() const = 0;
};

}  // namespace dnn
