// Makes up a data set of very many classes whose answer is known: sparse LIBSVM files to train and
// to test with.
//
// Every class is a code: `active` of the `features`, drawn at random, no two classes alike. A
// sample is its class's code in which each feature is lost with probability `noise`, and a feature
// from outside the code put in its place; all values are 1. All classes are equally likely, so that
// the best answer there is (Bayes) is the class whose code shares the most features with the
// sample. The program gives that answer for every test sample and says how often it is right: with
// the defaults always, since two codes of 16 of 1,024 features have about one feature in common,
// and a sample keeps about 14 of its own.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "dnn/core/error.hpp"
#include "dnn/core/random.hpp"

namespace {

struct Settings {
  std::uint32_t classes = 200000;
  std::uint32_t features = 1024;
  std::uint32_t active = 16;
  std::uint32_t samples_per_class = 2;
  std::uint32_t test_samples = 10000;
  double noise = 0.1;
  std::uint64_t seed = 1;
  std::string train;
  std::string test;
};

/// Features in ascending order, from 0.
using Code = std::vector<std::uint32_t>;

/// The numbers of one class's code or of one sample, in turns.
class Draw {
 public:
  enum class What : std::uint64_t { code, train, test };
  Draw(std::uint64_t seed, What what, std::uint64_t number)
      : stream_(seed, dnn::Purpose::made_up_data, 0, static_cast<std::uint64_t>(what), number) {}

  /// A number in (0, 1).
  double unit() { return dnn::unit_interval(stream_.word(next_++)); }
  /// A number in [0, count).
  std::uint32_t below(std::uint32_t count) {
    return static_cast<std::uint32_t>(unit() * static_cast<double>(count));
  }

 private:
  dnn::RandomStream stream_;
  std::uint64_t next_ = 0;
};

bool holds(const Code& code, std::uint32_t feature) {
  return std::find(code.begin(), code.end(), feature) != code.end();
}

Code draw_code(const Settings& settings, Draw& draw) {
  Code code;
  while (code.size() < settings.active) {
    const std::uint32_t feature = draw.below(settings.features);
    if (!holds(code, feature)) {
      code.push_back(feature);
    }
  }
  std::sort(code.begin(), code.end());
  return code;
}

std::vector<Code> draw_codes(const Settings& settings) {
  constexpr int most_draws = 1000;
  std::vector<Code> codes;
  std::set<Code> known;
  for (std::uint32_t c = 0; c < settings.classes; ++c) {
    Draw draw(settings.seed, Draw::What::code, c);
    int draws = 0;
    do {
      if (++draws > most_draws) {
        throw dnn::InputError("--features " + std::to_string(settings.features) + " --active " +
                              std::to_string(settings.active) + " have too few codes for " +
                              std::to_string(settings.classes) + " classes");
      }
      codes.resize(c);
      codes.push_back(draw_code(settings, draw));
    } while (!known.insert(codes.back()).second);
  }
  return codes;
}

/// A sample of the class with this code.
Code draw_sample(const Settings& settings, const Code& code, Draw draw) {
  Code sample = code;
  for (std::uint32_t& feature : sample) {
    if (draw.unit() < settings.noise) {
      std::uint32_t other = feature;
      while (holds(code, other) || holds(sample, other)) {
        other = draw.below(settings.features);
      }
      feature = other;
    }
  }
  std::sort(sample.begin(), sample.end());
  return sample;
}

/// The class whose code shares the most features with a sample, the first of equals.
class NearestCode {
 public:
  NearestCode(const Settings& settings, const std::vector<Code>& codes)
      : classes_with_(settings.features), shared_(codes.size()) {
    for (std::uint32_t c = 0; c < codes.size(); ++c) {
      for (const std::uint32_t feature : codes[c]) {
        classes_with_[feature].push_back(c);
      }
    }
  }

  std::size_t operator()(const Code& sample) {
    std::fill(shared_.begin(), shared_.end(), 0);
    for (const std::uint32_t feature : sample) {
      for (const std::uint32_t c : classes_with_[feature]) {
        ++shared_[c];
      }
    }
    return static_cast<std::size_t>(std::max_element(shared_.begin(), shared_.end()) -
                                    shared_.begin());
  }

 private:
  std::vector<std::vector<std::uint32_t>> classes_with_;
  std::vector<std::uint16_t> shared_;
};

/// A LIBSVM file whose features count from 1.
class SampleFile {
 public:
  explicit SampleFile(const std::string& path) : path_(path), file_(path, std::ios::trunc) {}

  void write(std::size_t label, const Code& sample) {
    std::string line = std::to_string(label);
    for (const std::uint32_t feature : sample) {
      line += ' ' + std::to_string(feature + 1) + ":1";
    }
    file_ << line << '\n';
  }
  void close() {
    file_.close();
    if (!file_) {
      throw dnn::InputError("cannot write " + path_);
    }
  }

 private:
  std::string path_;
  std::ofstream file_;
};

void make(const Settings& settings) {
  const std::vector<Code> codes = draw_codes(settings);
  SampleFile train(settings.train);
  for (std::size_t c = 0; c < codes.size(); ++c) {
    for (std::size_t i = 0; i < settings.samples_per_class; ++i) {
      const std::size_t number = c * settings.samples_per_class + i;
      train.write(c,
                  draw_sample(settings, codes[c], Draw(settings.seed, Draw::What::train, number)));
    }
  }
  train.close();
  SampleFile test(settings.test);
  NearestCode nearest(settings, codes);
  std::size_t right = 0;
  for (std::size_t i = 0; i < settings.test_samples; ++i) {
    const std::size_t c = i * codes.size() / settings.test_samples;  // spread over all classes
    const Code sample = draw_sample(settings, codes[c], Draw(settings.seed, Draw::What::test, i));
    test.write(c, sample);
    right += nearest(sample) == c ? 1 : 0;
  }
  test.close();
  std::printf("the best answer is right for %.2f %% of the test samples (%zu of %u)\n",
              100 * static_cast<double>(right) / settings.test_samples, right,
              settings.test_samples);
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  CLI::App app(
      "Makes up a data set of very many classes as LIBSVM files. A class is a random code of "
      "active features; a sample is its class's code with some features replaced.");
  constexpr std::uint32_t most = 1U << 30;
  app.add_option("--classes", settings.classes)->check(CLI::Range(2U, most))->capture_default_str();
  app.add_option("--features", settings.features)
      ->check(CLI::Range(2U, most))
      ->capture_default_str();
  app.add_option("--active", settings.active, "features of a code, at most half of all")
      ->check(CLI::Range(1U, 65535U))
      ->capture_default_str();
  app.add_option("--samples-per-class", settings.samples_per_class, "of the training file")
      ->check(CLI::Range(1U, most))
      ->capture_default_str();
  app.add_option("--test-samples", settings.test_samples, "in all, spread over the classes")
      ->check(CLI::Range(1U, most))
      ->capture_default_str();
  app.add_option("--noise", settings.noise, "the part of a code's features that is replaced")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  app.add_option("--seed", settings.seed)->capture_default_str();
  app.add_option("--train", settings.train, "the training file")->type_name("FILE")->required();
  app.add_option("--test", settings.test, "the test file")->type_name("FILE")->required();
  CLI11_PARSE(app, argc, argv);
  try {
    if (settings.active > settings.features / 2) {
      throw dnn::InputError("--active is more than half of --features");
    }
    make(settings);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "make_many_classes: error: %s\n", error.what());
    return 2;
  }
  return 0;
}
