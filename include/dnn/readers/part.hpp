#pragma once

namespace dnn {

/// Which data of a source that holds both.
enum class Part { train, test };

}  // namespace dnn
