#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace dnn {

/// A control group of Linux, which limits what its processes may use.
struct ControlGroup {
  std::string folder;  ///< holds the group's files
  int version = 2;     ///< of the interface: 1 or 2, whose files have different names
};

/// The groups that this process is in, and those around them, which limit what `controller`
/// ("memory", "cpu") hands out. `root` is where /proc and /sys are found.
[[nodiscard]] std::vector<ControlGroup> control_groups(const std::string& root,
                                                       std::string_view controller);

}  // namespace dnn
