#pragma once

namespace dnn {

/// The exit code of a command whose result is what it has printed, like --help or `dnn_model
/// hash`: `code`, or exit_failed after an error message where standard output has not taken all of
/// it. `program`: for the message.
[[nodiscard]] int answer_code(const char* program, int code);

}  // namespace dnn
