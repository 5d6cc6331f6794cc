#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "dnn/core/error.hpp"
#include "dnn/core/threads.hpp"
#include "dnn/data/dataset.hpp"
#include "dnn/tables/read_options.hpp"

namespace dnn::fuzz {

/// What readers are to take for the memory that there is, whatever this machine has: to ask the
/// system takes longer than to read most inputs.
constexpr std::size_t available_memory() {
  return std::size_t{1} << 30;
}

/// Ends the program with a message, as a fuzzer's finding, unless `holds`.
void expect(bool holds, const char* what);

/// Expects an error's message to name the input and to be short enough to be read.
void expect_helpful(const std::string& message, const std::string& origin);

/// Whether `work` takes its input. It may refuse it with InputError and a helpful message; any
/// other exception is a finding.
template <class Work>
bool accepts(const std::string& origin, Work&& work) {
  try {
    work();
    return true;
  } catch (const InputError& error) {
    expect_helpful(error.what(), origin);
    return false;
  }
}

/// Expects a data set that a reader made to be one: parts of the right sizes, labels and columns in
/// range, finite features. Reads it as training does, through Gatherer and FeatureStatistics, as
/// long as it is small.
void expect_well_formed(const Dataset& data);

/// Whether a reader would unpack these contents by libarchive, which takes memory of its own: the
/// target `archive` is for them.
bool is_packed(std::span<const std::byte> contents);

/// How to read: each value of `choice` stands for some combination.
ReadOptions read_options(std::byte choice);

/// The bytes of an input, as a target gets them.
inline std::span<const std::byte> input(const unsigned char* data, std::size_t size) {
  // Memory that OpenMP takes when it is first used is none that the input asked for.
  [[maybe_unused]] static const int started = threads();
  return std::as_bytes(std::span(data, size));
}

}  // namespace dnn::fuzz

/// What libFuzzer, or the replay of a corpus, calls with each input; returns 0.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size);
