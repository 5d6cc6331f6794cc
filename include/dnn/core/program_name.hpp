#pragma once

#ifndef DNN_VERSION
#error "DNN_VERSION must be defined by the build"
#endif

namespace dnn {

/// What files say that they were written by.
inline constexpr const char* program_name = "dnn_train " DNN_VERSION;

}  // namespace dnn
