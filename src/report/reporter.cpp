#include "dnn/report/reporter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "dnn/core/messages.hpp"

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

void Reporter::begin_epoch(std::size_t epoch, std::size_t epochs, std::size_t samples) {
  if (total_done_ == 0) {
    start_ = Clock::now();
  }
  epoch_ = epoch;
  epochs_ = epochs;
  samples_ = samples;
  done_ = 0;
}

void Reporter::advance(std::size_t samples) {
  done_ += samples;
  total_done_ += samples;
  if (mode_ == Mode::terminal && Clock::now() - drawn_ > std::chrono::milliseconds(100) &&
      !muted()) {
    draw();
  }
}

void Reporter::draw() {
  constexpr std::size_t width = 24;
  drawn_ = Clock::now();
  const std::size_t filled = done_ * width / std::max<std::size_t>(samples_, 1);
  const double rate = static_cast<double>(total_done_) / std::max(seconds_since(start_), 1e-9);
  const auto left = static_cast<double>(samples_ * (epochs_ - epoch_ + 1) - done_);
  if (std::ferror(stdout) != 0 || !output_has_reader()) {
    return;  // the terminal is gone
  }
  std::printf("\r\033[Kepoch %zu/%zu [%s%s] %s samples/s, %s left", epoch_, epochs_,
              std::string(filled, '=').c_str(), std::string(width - filled, ' ').c_str(),
              with_commas(static_cast<std::uint64_t>(rate)).c_str(),
              time_left(left / rate).c_str());
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
  std::string text =
      fmt::format("epoch {:3}/{}  train {}", metrics.epoch, epochs_, metrics.train.in_words());
  if (metrics.validation) {
    text += "  validation " + metrics.validation->in_words();
  }
  line(fmt::format("{}  {} samples/s", text,
                   with_commas(static_cast<std::uint64_t>(metrics.samples_per_second))));
}

}  // namespace dnn
