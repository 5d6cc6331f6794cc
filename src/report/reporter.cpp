#include "dnn/report/reporter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "dnn/core/messages.hpp"
#include "dnn/core/printable.hpp"
#include "dnn/report/terminal.hpp"

namespace dnn {

namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::string time_left(double seconds) {
  const long total = std::lround(seconds);
  return total >= 3600 ? fmt::format("{}:{:02}:{:02}", total / 3600, total / 60 % 60, total % 60)
                       : fmt::format("{}:{:02}", total / 60, total % 60);
}

/// "0.1234 97.00 %", "0.1234 r2 0.8901 rmse 3.21"; the first `figures` of those without an
/// accuracy.
std::string short_evaluation(const Evaluation& evaluation, std::size_t figures) {
  std::string text = loss_text(evaluation.loss);
  if (evaluation.accuracy >= 0) {
    return text + fmt::format(" {:.2f} %", 100 * evaluation.accuracy);
  }
  for (std::size_t i = 0; i < std::min(figures, evaluation.figures.size()); ++i) {
    text += fmt::format(" {} {:.4g}", printable_name(evaluation.figures[i].name),
                        evaluation.figures[i].value);
  }
  return text;
}

}  // namespace

std::string with_commas(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t i = text.size(); i > 3;) {
    i -= 3;
    text.insert(i, 1, ',');
  }
  return text;
}

void Reporter::line(const std::string& text) {
  if (mode_ == Mode::quiet) {
    note_in_log(text);
  } else if (mode_ != Mode::silent) {
    say(text);
  }
}

void Reporter::begin_epoch(const Epoch& epoch) {
  if (total_done_ == 0) {
    start_ = Clock::now();
    drawn_ = mode_ == Mode::terminal ? Clock::time_point() : start_;
  }
  epoch_ = epoch;
}

void Reporter::advance(std::size_t samples) {
  epoch_.done += samples;
  total_done_ += samples;
  if (mode_ == Mode::silent || (mode_ != Mode::terminal && log_every_ == 0)) {
    return;
  }
  const double interval = mode_ == Mode::terminal ? 0.1 : log_every_;
  if (seconds_since(drawn_) < interval || muted()) {
    return;
  }
  drawn_ = Clock::now();
  if (mode_ == Mode::terminal) {
    draw();
  } else if (epoch_.done < epoch_.samples) {  // the epoch's own line comes otherwise
    line(progress_line());
  }
}

double Reporter::rate() const {
  return static_cast<double>(total_done_) / std::max(seconds_since(start_), 1e-9);
}

std::string Reporter::progress_line() const {
  const auto left =
      static_cast<double>(epoch_.samples * (epoch_.epochs - epoch_.epoch + 1) - epoch_.done);
  return fmt::format("epoch {:3}/{}  {:2} %{}  {} samples/s, {} left", epoch_.epoch, epoch_.epochs,
                     100 * epoch_.done / std::max<std::size_t>(epoch_.samples, 1),
                     loss_ ? fmt::format("  loss {:.4g}", *loss_) : std::string(),
                     with_commas(static_cast<std::uint64_t>(rate())), time_left(left / rate()));
}

void Reporter::draw() {
  constexpr std::size_t width = 24;
  const std::size_t filled =
      std::min(width, epoch_.done * width / std::max<std::size_t>(epoch_.samples, 1));
  const auto left =
      static_cast<double>(epoch_.samples * (epoch_.epochs - epoch_.epoch + 1) - epoch_.done);
  if (std::ferror(stdout) != 0 || !output_has_reader()) {
    return;  // the terminal is gone
  }
  const bool colours = terminal_has_colours();
  std::printf("\r\033[Kepoch %zu/%zu [%s%s%s%s] %s samples/s, %s left", epoch_.epoch, epoch_.epochs,
              colours ? "\033[32m" : "", std::string(filled, '=').c_str(), colours ? "\033[0m" : "",
              std::string(width - filled, ' ').c_str(),
              with_commas(static_cast<std::uint64_t>(rate())).c_str(),
              time_left(left / rate()).c_str());
  std::fflush(stdout);
}

void Reporter::clear() {
  if (mode_ == Mode::terminal) {
    std::printf("\r\033[K");
  }
}

void Reporter::end_epoch(const EpochMetrics& metrics) {
  if (muted()) {
    return;
  }
  clear();
  line(epoch_line(metrics, epoch_.epochs));
}

std::string epoch_line(const EpochMetrics& metrics, std::size_t epochs) {
  constexpr std::size_t columns = 80;
  constexpr std::size_t most_figures = 2;
  std::string text;
  for (std::size_t figures = most_figures + 1; figures-- > 0;) {
    text = fmt::format("epoch {:3}/{}  train loss {}", metrics.epoch, epochs,
                       short_evaluation(metrics.train, figures));
    if (metrics.validation) {
      text += "  validation " + short_evaluation(*metrics.validation, figures);
    }
    if (text.size() <= columns) {
      break;
    }
  }
  const std::string rate =
      fmt::format("  {}/s", with_commas(static_cast<std::uint64_t>(metrics.samples_per_second)));
  return text.size() + rate.size() <= columns ? text + rate : text;
}

}  // namespace dnn
