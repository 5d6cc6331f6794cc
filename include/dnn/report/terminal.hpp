#pragma once

namespace dnn {

/// Whether a person at a terminal reads this process's standard output. mpirun gives its processes
/// a pseudo-terminal whatever its own output is, so under mpirun it is mpirun's output that counts.
[[nodiscard]] bool output_is_terminal();

/// Whether what is drawn there may have colours: neither NO_COLOR (no-color.org) nor a terminal
/// that has none forbids them.
[[nodiscard]] bool terminal_has_colours();

}  // namespace dnn
