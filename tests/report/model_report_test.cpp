#include "dnn/report/model_report.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

#include "dnn/core/error.hpp"
#include "support/expect_error.hpp"
#include "support/saved_model_example.hpp"
#include "support/temporary_folder.hpp"

namespace dnn {
namespace {

using test::expect_error;
using test::TemporaryFolder;

TEST(ModelReport, ShowsNetworkAndEnvironment) {
  const TemporaryFolder folder;
  test::SavedModelExample example;
  example.save(folder / "m.dnn");
  EXPECT_NE(model_verification(folder / "m.dnn").find("good"), std::string::npos);
  EXPECT_NE(model_info(folder / "m.dnn").find("3-5-2"), std::string::npos);
  EXPECT_NE(model_info(folder / "m.dnn").find("environment:\n  cpu: one\n"), std::string::npos);
  example.description.environment.clear();  // as in files of the first version
  example.save(folder / "old.dnn");
  EXPECT_EQ(model_info(folder / "old.dnn").find("environment"), std::string::npos);
}

TEST(ModelReport, NamesStayOnTheirLines) {
  const TemporaryFolder folder;
  test::SavedModelExample example;
  example.description.class_names = {"a\nb", "c"};
  example.description.feature_names = {"x\ty", "z\r", "w"};
  example.save(folder / "m.dnn");
  const std::string text = model_info(folder / "m.dnn");
  EXPECT_NE(text.find("classes:     a\\nb, c\n"), std::string::npos) << text;
  EXPECT_NE(text.find("features:    x\\ty, z\\r, w\n"), std::string::npos) << text;
}

TEST(ModelReport, FiguresThatAreNotFiniteAreNoNumbers) {
  const TemporaryFolder folder;
  test::SavedModelExample example;
  ModelDescription& d = example.description;
  d.task = Task::numbers;
  d.validation_samples = 3;
  d.validation_loss = std::numeric_limits<double>::infinity();
  d.validation_accuracy = -1;
  d.validation_figures = {{"r2", std::nan("")}, {"rmse", 0.5}};
  example.save(folder / "m.dnn");
  const std::string text = model_info(folder / "m.dnn");
  EXPECT_NE(text.find("validation:  loss nan r2 nan rmse 0.5 (3 samples)\n"), std::string::npos)
      << text;
}

TEST(ModelReport, VerificationFindsNumbersThatAreNone) {
  const TemporaryFolder folder;
  test::SavedModelExample example;
  example.values[example.layout.layers()[0].bias.begin] = std::nanf("");
  example.save(folder / "n.dnn");
  expect_error<InputError>([&] { (void)model_verification(folder / "n.dnn"); },
                           {"parameter 16", "finite"});
}

}  // namespace
}  // namespace dnn
