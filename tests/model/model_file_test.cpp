#include "dnn/model/model_file.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "dnn/core/error.hpp"
#include "dnn/model/container.hpp"
#include "support/damages.hpp"
#include "support/expect_error.hpp"
#include "support/memory_file.hpp"
#include "support/saved_model_example.hpp"
#include "support/temporary_folder.hpp"
#include "support/test_numbers.hpp"

namespace dnn {
namespace {

using test::expect_error;
using test::read_file;
using test::TemporaryFolder;

using Example = test::SavedModelExample;

TEST(ModelFile, ComesBackBitForBit) {
  const TemporaryFolder folder;
  const Example example;
  example.save(folder / "m.dnn");
  const SavedModel model = load_model(folder / "m.dnn");
  std::vector<float> values(example.layout.size(), 0.0F);
  model.copy_to(example.layout, std::span(values));
  EXPECT_EQ(values, example.values);
  EXPECT_EQ(model.description.widths, example.description.widths);
  EXPECT_EQ(model.description.class_names, example.description.class_names);
  EXPECT_EQ(model.description.feature_names, example.description.feature_names);
  EXPECT_EQ(model.description.normalizer.center, example.description.normalizer.center);
  EXPECT_EQ(model.description.normalizer.scale, example.description.normalizer.scale);
  EXPECT_EQ(model.description.normalizer.clip, example.description.normalizer.clip);
  EXPECT_EQ(model.description.validation_accuracy, example.description.validation_accuracy);
  EXPECT_EQ(model.description.epoch, 2U);
  EXPECT_EQ(model.description.environment, example.description.environment);
}

TEST(ModelFile, ThresholdsAreOneForEachLabel) {
  const TemporaryFolder folder;
  Example example;
  example.description.task = Task::labels;
  example.description.label_thresholds.assign(example.description.class_names.size(), 0.125);
  example.save(folder / "m.dnn");
  EXPECT_EQ(load_model(folder / "m.dnn").description.label_thresholds,
            example.description.label_thresholds);
  const auto is_refused = [&] {
    example.save(folder / "bad.dnn");
    expect_error<InputError>([&] { (void)load_model(folder / "bad.dnn"); },
                             {"thresholds of the labels"});
  };
  example.description.label_thresholds.back() = 1.5;
  is_refused();
  example.description.label_thresholds.pop_back();
  is_refused();
  example.description.label_thresholds.assign(example.description.class_names.size(), 0.125);
  example.description.task = Task::classes;
  is_refused();
}

// As the first version wrote it: without what was added later.
TEST(ModelFile, AnOlderVersionsIsRead) {
  const TemporaryFolder folder;
  const std::vector<std::byte> parameters(2 * (2 + 1) * 2 * sizeof(float));
  write_container(
      folder / "old.dnn", Container::model,
      "22 serialization::archive 18 0 0 3 0 2 2 2 0 0 0 2 0 1 x 1 y 2 0 1 a 1 b -1 0 0 2 "
      "0 2.25000000000000000e+00 1.74999999999999978e+00 2 0 9.17662935482246978e-01 "
      "1.20604537831105452e+00 4 a=1\n 1 7.03784501100639392e-01 "
      "0.00000000000000000e+00 2 3 dnn",
      {parameters});
  const SavedModel old = load_model(folder / "old.dnn");
  EXPECT_EQ(old.description.program, "dnn");
  EXPECT_EQ(old.description.environment, "");
}

TEST(ModelFile, EveryDamageIsRefused) {
  const TemporaryFolder folder;
  Example().save(folder / "m.dnn");
  const test::MemoryFile file;
  test::for_each_damage(
      read_file(folder / "m.dnn"), [&](const std::string& damaged, const std::string& what) {
        SCOPED_TRACE(what);
        file.write(damaged);
        expect_error<InputError>([&] { (void)load_model(file.path()); }, {file.path().c_str()});
      });
}

TEST(ModelFile, RefusalsSayWhatIsWrong) {
  const TemporaryFolder folder;
  Example().save(folder / "m.dnn");
  const std::string whole = read_file(folder / "m.dnn");
  const auto refused = [&](const std::string& contents, std::initializer_list<const char*> parts) {
    const auto path = folder.write("bad.dnn", contents);
    expect_error<InputError>([&] { (void)load_model(path); }, parts);
  };
  refused("PK\3\4 some archive", {"bad.dnn", "not a dnn_train model"});
  refused(whole.substr(0, 20), {"truncated"});
  refused(whole.substr(0, whole.size() - 4), {"truncated or damaged"});
  (void)write_container(folder / "newer.dnn", Container::model, "{}", {}, 9);
  refused(read_file(folder / "newer.dnn"), {"version 9", "reads version 1"});
  std::string changed = whole;
  changed[8] = 9;  // no file of a newer version: its checksum is another
  refused(changed, {"damaged", "checksum"});
  std::string flipped = whole;
  flipped.back() = static_cast<char>(flipped.back() ^ 1);
  refused(flipped, {"damaged", "checksum"});
  std::string absurd = whole;
  absurd.replace(16, 8, "\xff\xff\xff\xff\xff\xff\xff\x7f");
  refused(absurd, {"truncated or damaged"});
  expect_error<FileError>([&] { (void)load_model(folder / "none.dnn"); }, {"none.dnn", "No such"});
}

TEST(ModelFile, PartsThatContradictEachOtherAreRefused) {
  const TemporaryFolder folder;
  const auto refused = [&](auto&& change, const char* part) {
    Example example;
    change(example.description);
    example.save(folder / "c.dnn");
    expect_error<InputError>([&] { (void)load_model(folder / "c.dnn"); }, {"contradicts", part});
  };
  refused([](ModelDescription& d) { d.widths = {3, 6, 2}; }, "number of parameters");
  refused([](ModelDescription& d) { d.widths = {3, ~0ULL, 2}; }, "layer widths");
  refused(
      [](ModelDescription& d) {
        d.widths = {~0ULL, 2};
        d.feature_names.clear();
        d.normalizer = {};
      },
      "layer widths");
  refused([](ModelDescription& d) { d.widths = {3}; }, "no layers");
  refused([](ModelDescription& d) { d.class_names.pop_back(); }, "class names");
  refused([](ModelDescription& d) { d.normalizer.center.pop_back(); }, "normalization");
  refused([](ModelDescription& d) { d.normalizer.clip = -1; }, "clip");
  refused([](ModelDescription& d) { d.precision = Precision::f64; }, "number of parameters");
}

// A whole container whose description Boost cannot read: an error, not a crash.
TEST(ModelFile, ForeignDescriptionIsRefused) {
  const TemporaryFolder folder;
  write_container(folder / "f.dnn", Container::model, "22 serialization::archive 99 0 0 nonsense",
                  {});
  expect_error<InputError>([&] { (void)load_model(folder / "f.dnn"); }, {"description"});
  // Widths that would take more memory than there is.
  write_container(folder / "w.dnn", Container::model,
                  "22 serialization::archive 18 0 0 999999999999 0 2 2 2", {});
  expect_error<InputError>([&] { (void)load_model(folder / "w.dnn"); }, {"w.dnn", "description"});
}

}  // namespace
}  // namespace dnn
