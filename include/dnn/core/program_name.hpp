#pragma once

#ifndef DNN_VERSION
#error "DNN_VERSION must be defined by the build"
#endif

namespace dnn {

/// The program name and version that files record.
inline constexpr const char* program_name = "dnn_train " DNN_VERSION;

}  // namespace dnn
