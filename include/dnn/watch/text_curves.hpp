#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace dnn {

/// Where curves are drawn as text.
struct TextCanvas {
  std::size_t columns = 80;
  std::size_t rows = 8;  ///< of each curve
  bool braille = true;   ///< Unicode's braille patterns, 8 dots a character; false: ASCII alone
};

/// A curve with its title and axes, lines of at most the canvas's columns (from about 30 on).
/// `points`: x and y, x never less than before, all finite; at least one.
[[nodiscard]] std::string draw_curve(const std::string& title, const std::string& x_name,
                                     const std::vector<std::pair<double, double>>& points,
                                     const TextCanvas& canvas);

/// The state of a run by its folder's files.
struct TextOfRun {
  std::string text;  ///< how far it is, and its curves: training loss, held-out loss and figure
  bool is_finished = false;
};

/// `has_job`: a job may be working on the run. Throws InputError where no run is in the folder.
/// What the run's names would do to a terminal is shown escaped.
[[nodiscard]] TextOfRun text_of_run(const std::string& folder, const TextCanvas& canvas,
                                    bool has_job);

}  // namespace dnn
