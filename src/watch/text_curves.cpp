#include "dnn/watch/text_curves.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>

#include "dnn/core/printable.hpp"
#include "dnn/report/reporter.hpp"
#include "dnn/report/run_record.hpp"

namespace dnn {

namespace {

using Json = nlohmann::ordered_json;
using Points = std::vector<std::pair<double, double>>;

constexpr std::size_t label_width = 10;

/// Dots that lines are drawn with, some of them in each character.
class DotGrid {
 public:
  DotGrid(std::size_t columns, std::size_t rows, bool braille)
      : across_(braille ? 2 : 1),
        down_(braille ? 4 : 1),
        columns_(columns),
        rows_(rows),
        braille_(braille),
        cells_(columns * rows, 0) {}

  [[nodiscard]] std::size_t width() const { return columns_ * across_; }
  [[nodiscard]] std::size_t height() const { return rows_ * down_; }

  /// From one dot to another, both included; (0, 0) is at the top left.
  void line(std::int64_t x, std::int64_t y, std::int64_t to_x, std::int64_t to_y) {
    const std::int64_t steps = std::max({std::abs(to_x - x), std::abs(to_y - y), std::int64_t{1}});
    for (std::int64_t i = 0; i <= steps; ++i) {
      const double part = static_cast<double>(i) / static_cast<double>(steps);
      set(static_cast<std::size_t>(x + std::lround(part * static_cast<double>(to_x - x))),
          static_cast<std::size_t>(y + std::lround(part * static_cast<double>(to_y - y))));
    }
  }

  [[nodiscard]] std::string row(std::size_t row) const {
    std::string text;
    for (std::size_t column = 0; column < columns_; ++column) {
      const unsigned dots = cells_[row * columns_ + column];
      if (braille_) {
        const unsigned code = 0x2800 + dots;  // in UTF-8
        text += static_cast<char>(0xe0 | code >> 12);
        text += static_cast<char>(0x80 | (code >> 6 & 0x3fU));
        text += static_cast<char>(0x80 | (code & 0x3fU));
      } else {
        text += dots != 0 ? '*' : ' ';
      }
    }
    return text;
  }

 private:
  void set(std::size_t x, std::size_t y) {
    // The bits of U+2800's dots, left and right column from the top.
    constexpr unsigned dots[4][2] = {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
    unsigned& cell = cells_[y / down_ * columns_ + x / across_];
    cell |= braille_ ? dots[y % down_][x % across_] : 1U;
  }

  std::size_t across_;
  std::size_t down_;
  std::size_t columns_;
  std::size_t rows_;
  bool braille_;
  std::vector<unsigned> cells_;
};

/// The points of `lines` that have both numbers.
Points points_of(const Json& lines, const std::string& x, const std::string& y) {
  Points points;
  for (const Json& line : lines) {
    const auto across = line.find(x);
    const auto up = line.find(y);
    if (across != line.end() && up != line.end() && across->is_number() && up->is_number()) {
      points.emplace_back(across->get<double>(), up->get<double>());
    }
  }
  return points;
}

/// The same of the columns of the record's steps; none where there are no steps.
Points points_of_columns(const Json& columns, const std::string& x, const std::string& y) {
  Points points;
  for (std::size_t i = 0; columns.is_object() && i < columns.at(x).size(); ++i) {
    if (columns[x][i].is_number() && columns[y][i].is_number()) {
      points.emplace_back(columns[x][i].get<double>(), columns[y][i].get<double>());
    }
  }
  return points;
}

/// The figure that a run is judged by besides its loss: the first of the epochs'.
std::string figure_of(const Json& epochs) {
  const Json first = epochs.empty() ? Json::object() : epochs.front();
  for (const std::string prefix : {"validation_", "train_"}) {
    for (const auto& [key, value] : first.items()) {
      if (key.starts_with(prefix) && !key.ends_with("_loss") && !key.ends_with("_samples")) {
        return key;
      }
    }
  }
  return {};
}

std::string state_of(const Json& record, const Json& steps, bool has_job) {
  const bool is_finished = !record.at("summary").is_null();
  const Json& start = is_finished ? record.at("summary") : record.at("started");
  const Json planned = start.is_object() && start.contains("configuration")
                           ? start["configuration"].value("epochs", Json())
                           : Json();
  const std::size_t done =
      record.at("epochs").empty() ? 0 : record["epochs"].back().value("epoch", std::size_t{0});
  std::string text =
      fmt::format("{}, {}{} epochs done",
                  is_finished ? "finished"
                  : has_job   ? "training"
                              : "stopped",
                  done, planned.is_number() ? " of " + planned.dump() : std::string());
  if (!steps.is_null()) {
    const Json& rate = steps.at("samples_per_second").back();
    text += ", update " + with_commas(steps.at("update").back().get<std::uint64_t>());
    if (!is_finished && has_job && rate.is_number()) {
      text += ", " + with_commas(static_cast<std::uint64_t>(rate.get<double>())) + " samples/s";
    }
  }
  return text;
}

}  // namespace

std::string draw_curve(const std::string& title, const std::string& x_name, const Points& points,
                       const TextCanvas& canvas) {
  const auto extremes =
      std::minmax_element(points.begin(), points.end(),
                          [](const auto& a, const auto& b) { return a.second < b.second; });
  const double bottom = extremes.first->second;
  const double top = extremes.second->second;
  const double height = top - bottom;
  const double left = points.front().first;
  const double width = points.back().first - left;
  DotGrid grid(std::max(canvas.columns, label_width + 12) - label_width - 2,
               std::max<std::size_t>(canvas.rows, 2), canvas.braille);
  const auto dot = [&](const std::pair<double, double>& point) {
    // A damaged file may hold epochs in any order, and numbers whose difference overflows.
    const auto share = [](double value) { return value > 0 ? std::min(value, 1.0) : 0.0; };
    const double x = width > 0 ? share((point.first - left) / width) : 0;
    const double y = height > 0 ? share((top - point.second) / height) : 0.5;
    return std::pair(
        static_cast<std::int64_t>(std::lround(x * static_cast<double>(grid.width() - 1))),
        static_cast<std::int64_t>(std::lround(y * static_cast<double>(grid.height() - 1))));
  };
  auto before = dot(points.front());
  for (const auto& point : points) {
    const auto now = dot(point);
    grid.line(before.first, before.second, now.first, now.second);
    before = now;
  }

  const std::string bar = canvas.braille ? "\u2502" : "|";
  std::string text = fmt::format("{}: last {:.4g}", printable_name(title), points.back().second);
  const std::string extent = fmt::format(", least {:.4g}, largest {:.4g}", bottom, top);
  text += (text.size() + extent.size() <= canvas.columns ? extent : std::string()) + '\n';
  const std::size_t rows = std::max<std::size_t>(canvas.rows, 2);
  for (std::size_t row = 0; row < rows; ++row) {
    const std::string label = row == 0          ? fmt::format("{:.4g}", top)
                              : row == rows - 1 ? fmt::format("{:.4g}", bottom)
                                                : std::string();
    text += fmt::format("{:>{}} {}{}\n", label, label_width, bar, grid.row(row));
  }
  const std::string ends = fmt::format("{} {:.8g}", x_name, left);
  const std::string end = fmt::format("{:.8g}", points.back().first);
  const std::size_t space = canvas.columns > label_width + 2 + ends.size() + end.size()
                                ? canvas.columns - label_width - 2 - ends.size() - end.size()
                                : 1;
  return text + std::string(label_width + 2, ' ') + ends + std::string(space, ' ') + end + '\n';
}

TextOfRun text_of_run(const std::string& folder, const TextCanvas& canvas, bool has_job) {
  const Json record = run_record(folder);
  const Json& epochs = record.at("epochs");
  const Json& steps = record.at("steps");
  TextOfRun made;
  made.is_finished = !record.at("summary").is_null();
  made.text = fmt::format("{}: {}\n", printable_name(folder), state_of(record, steps, has_job));

  const auto draw = [&](const std::string& title, const std::string& x_name, const Points& points) {
    if (!points.empty()) {
      made.text += '\n' + draw_curve(title, x_name, points, canvas);
    }
  };
  const Points by_update = points_of_columns(steps, "update", "loss");
  if (by_update.size() > 1) {
    draw("training loss", "update", by_update);
  } else {
    draw("training loss", "epoch", points_of(epochs, "epoch", "train_loss"));
  }
  draw("validation loss", "epoch", points_of(epochs, "epoch", "validation_loss"));
  const std::string figure = figure_of(epochs);
  std::string name = figure;
  std::replace(name.begin(), name.end(), '_', ' ');
  draw(name, "epoch", points_of(epochs, "epoch", figure));
  return made;
}

}  // namespace dnn
