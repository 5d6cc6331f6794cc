#pragma once

#include "dnn/options/watch_options.hpp"

namespace dnn {

/// Prints the address, then serves reports until the process ends. Throws InputError.
void run_watch(const WatchOptions& options);

}  // namespace dnn
