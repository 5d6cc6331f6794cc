// Everything a user can get wrong: on three ranks, one message that says what and where, exit code
// not 0, and nothing written.

#include <gtest/gtest.h>

#include <filesystem>
#include <limits>

#include "support/archive_files.hpp"
#include "support/array_files.hpp"
#include "support/programs.hpp"
#include "support/run_command.hpp"
#include "support/temporary_folder.hpp"

namespace dnn::test {
namespace {

struct BadInput : public testing::Test {
  TemporaryFolder folder;

  void refuses(const std::string& arguments, const std::vector<std::string>& parts) {
    const std::string out = folder / "run";
    const CommandResult result =
        run_command(mpirun_to_refuse(3) + train + " " + arguments + " --output " + out);
    EXPECT_NE(result.exit_code, 0) << arguments;
    EXPECT_EQ(count(result.output, "error:"), 1) << result.output;
    for (const std::string& part : parts) {
      EXPECT_NE(result.output.find(part), std::string::npos) << "'" << part << "' is not in:\n"
                                                             << result.output;
    }
    EXPECT_FALSE(std::filesystem::exists(out)) << arguments;
  }
  void refuses_csv(const std::string& contents, const std::vector<std::string>& parts) {
    refuses("--data " + folder.write("d.csv", contents), parts);
  }
};

TEST_F(BadInput, MissingPath) {
  refuses("--data /no/such/file", {"/no/such/file", "No such file"});
}
TEST_F(BadInput, EmptyFile) {
  refuses_csv("", {"d.csv", "empty"});
}
TEST_F(BadInput, RaggedRow) {
  refuses_csv("1,2,a\n3,b\n", {"d.csv", "line 2"});
}
TEST_F(BadInput, ACellThatIsNotWhatTheUserSays) {
  refuses("--columns 'number:2' --data " + folder.write("d.csv", "1,2,a\n3,red,b\n4,blue,a\n"),
          {"line 2", "column 'column 2'", "'red' is not a number"});
}
TEST_F(BadInput, InfiniteFeature) {
  refuses_csv("1,2,a\n3,inf,b\n", {"line 2", "'column 2'", "finite"});
}
TEST_F(BadInput, AFeatureFarBeyondTheOthersIsNamed) {
  refuses_csv("width,label\n1,a\n2,b\n1e300,a\n4,b\n", {"'width'", "1 to 1e+300"});
}
TEST_F(BadInput, ATargetFarBeyondTheOthers) {
  std::string text = "x,price\n";
  for (int i = 0; i < 40; ++i) {
    text += std::to_string(i % 7) + "," + (i == 17 ? "1e300" : std::to_string(i % 5)) + "\n";
  }
  const std::string data = folder.write("d.csv", text);
  refuses("--task numbers --data " + data, {"d.csv", "'price'", "from 0 to 1e+300"});
  refuses("--task numbers --huber 1 --data " + data, {"d.csv", "'price'", "from 0 to 1e+300"});
}
TEST_F(BadInput, HeaderAlone) {
  refuses_csv("x,y,label\n", {"d.csv", "no rows below the header"});
}
TEST_F(BadInput, RowsWithoutALabel) {
  refuses_csv("x,label\n1,a\n2,\n3,b\n", {"line 3", "label is missing", "--drop-unlabelled"});
}
TEST_F(BadInput, NothingButIdentifiers) {
  std::string text = "id,label\n";
  for (int i = 0; i < 30; ++i) {
    text += "P" + std::to_string(i) + (i % 2 == 0 ? ",a\n" : ",b\n");
  }
  refuses_csv(text, {"no column is left to learn from", "'id': identifier", "--columns"});
}
TEST_F(BadInput, TextInTrainingAndNumbersInTheTestSet) {
  const auto test = folder.write("t.csv", "c,x,label\n1,1,a\n2,2,b\n");
  refuses("--data " + folder.write("d.csv", "c,x,label\nred,1,a\nblue,2,b\nred,3,b\n") +
              " --test-data " + test,
          {"t.csv", "column 'c' holds numbers", "text in the training data"});
}
TEST_F(BadInput, FilesOfOneTableWithOtherColumns) {
  folder.write("part-1.csv", "x,y,label\n1,2,a\n");
  folder.write("part-2.csv", "y,x,label\n1,2,b\n");
  refuses("--data '" + folder.path() + "/part-*.csv'",
          {"part-2.csv", "column 1 is named 'y'", "'x' in", "part-1.csv"});
}
TEST_F(BadInput, AMissingFileOfAList) {
  refuses("--data " + folder.write("d.csv", "1,a\n2,b\n") + "," + (folder / "nope.csv"),
          {"there is no file", "nope.csv"});
}
TEST_F(BadInput, ZeroFeatures) {
  refuses_csv("a\nb\n", {"zero features"});
}
TEST_F(BadInput, OneClass) {
  refuses_csv("1,a\n2,a\n", {"one class only"});
}
TEST_F(BadInput, UnknownLabelInTheTestSet) {
  const auto test = folder.write("t.csv", "1,a\n2,z\n");
  refuses("--data " + folder.write("d.csv", "1,a\n2,b\n") + " --test-data " + test,
          {"t.csv", "unknown label 'z'", "sample 2", "leave such samples out"});
}
TEST_F(BadInput, LabelOutOfRangeInAnIdxTestSet) {
  folder.write("train-images-idx3-ubyte", idx({4, 1, 2}, "abcdefgh"));
  folder.write("train-labels-idx1-ubyte", idx({4}, std::string("\0\1\0\1", 4)));
  folder.write("t10k-images-idx3-ubyte", idx({1, 1, 2}, "ab"));
  folder.write("t10k-labels-idx1-ubyte", idx({1}, "\7"));
  refuses("--data " + folder.path(), {"unknown label '7'", "sample 1", "2 classes"});
}
TEST_F(BadInput, ImageAndLabelCountsThatDiffer) {
  folder.write("train-images-idx3-ubyte", idx({2, 1, 2}, "abcd"));
  folder.write("train-labels-idx1-ubyte", idx({3}, "\1\2\1"));
  refuses("--data " + folder.path(), {"3 labels", "2 images"});
}
TEST_F(BadInput, TruncatedIdx) {
  folder.write("train-images-idx3-ubyte", idx({2, 1, 2}, "abc"));
  folder.write("train-labels-idx1-ubyte", idx({2}, "\1\2"));
  refuses("--data " + folder.path(), {"train-images-idx3-ubyte", "truncated IDX"});
}
TEST_F(BadInput, TruncatedNpy) {
  const std::string x = npy<float>("<f4", "(2, 2)", {1, 2, 3, 4});
  refuses("--data " + folder.write("x.npy", x.substr(0, x.size() - 3)), {"x.npy", "truncated"});
}
TEST_F(BadInput, CorruptGzip) {
  refuses(
      "--data " + folder.write("d.csv.gz", std::string("\x1f\x8b\x08\0\0\0\0\0\0\3garbage", 17)),
      {"d.csv.gz", "gzip"});
}
TEST_F(BadInput, InfiniteFeatureInAMappedFile) {
  const auto x = folder.write(
      "x.npy", npy<float>("<f4", "(3, 1)", {1, std::numeric_limits<float>::infinity(), 2}));
  const auto y = folder.write("y.npy", npy<std::int32_t>("<i4", "(3,)", {0, 1, 0}));
  refuses("--data " + x + "," + y, {"x.npy", "feature 1 of sample 2", "infinite"});
}
TEST_F(BadInput, HiddenSizes) {
  refuses("--hidden 64,0", {"--hidden 64,0"});
  refuses("--hidden 50000000,50000000", {"--hidden", "GiB"});
}
TEST_F(BadInput, BatchSizes) {
  refuses("--batch-size 0", {"--batch-size 0"});
  refuses("--batch-size 1618", {"--batch-size 1618", "1617"});
}
TEST_F(BadInput, EarlyStopWithoutASampleToJudgeBy) {
  refuses("--early-stop 3 --validation 0.0001", {"--early-stop 3", "--validation", "1797 samples"});
}
TEST_F(BadInput, AveragedWeights) {
  refuses("--average-weights -1", {"--average-weights -1"});
  refuses("--average-weights 1e7", {"--average-weights 10000000", "at most 1000000"});
  refuses("--average-weight 1", {"--average-weights"});
  std::string rows;
  for (int i = 0; i < 40; ++i) {
    rows += std::to_string(i % 2) + " " + std::to_string(1 + i % 30) + ":1 90000:1\n";
  }
  refuses("--average-weights 1 --data " + folder.write("d.svm", rows),
          {"--average-weights 1", "d.svm", "stay sparse", "leave --average-weights out"});
}
TEST_F(BadInput, LearningRates) {
  refuses("--lr -1", {"--lr -1"});
  refuses("--lr nan", {"--lr nan"});
}
TEST_F(BadInput, TestDataOfAnotherWidth) {
  const auto test = folder.write("t.csv", "1,2,a\n2,3,b\n");
  refuses("--data " + folder.write("d.csv", "1,a\n2,b\n") + " --test-data " + test,
          {"t.csv", "3 columns", "the training data have 2"});
}
TEST_F(BadInput, OptionTypo) {
  refuses("--epoch 3", {"--epoch", "did you mean --epochs?"});
}
TEST_F(BadInput, ConfigTypo) {
  refuses("--config " + folder.write("c.toml", "epoch = 3\n"), {"'epoch'", "did you mean epochs?"});
}

TEST_F(BadInput, WrongTypeInAConfigFile) {
  refuses("--config " + folder.write("c.toml", "epochs = \"many\"\n"),
          {"--epochs", "'many' is no whole number"});
}
TEST_F(BadInput, MissingConfigFile) {
  refuses("--config /no/such.toml", {"/no/such.toml", "not readable"});
}
TEST_F(BadInput, DataThatAreNoFile) {
  refuses("--data /dev/null", {"/dev/null", "not a regular file"});
  refuses("--data " + folder.path(), {"neither", "images-idx3-ubyte"});
}
TEST_F(BadInput, NpyOfOtherElements) {
  const auto y = folder.write("y.npy", npy<std::int32_t>("<i4", "(2,)", {0, 1}));
  refuses("--data " + folder.write("o.npy", npy<float>("|O", "(2, 2)", {1, 2, 3, 4})) + "," + y,
          {"o.npy", "Python objects", "astype"});
  refuses("--data " + folder.write("c.npy", npy<float>("<c8", "(2, 1)", {1, 2, 3, 4})) + "," + y,
          {"c.npy", "'<c8'", "astype"});
  std::string structured = npy<float>("<f4", "(2, 2)", {1, 2, 3, 4});
  structured.replace(structured.find("'<f4'"), 5, "[('a'");
  refuses("--data " + folder.write("s.npy", structured) + "," + y,
          {"s.npy", "structured array", "structured_to_unstructured"});
  const auto x = folder.write("x.npy", npy<float>("<f4", "(2, 2)", {1, 2, 3, 4}));
  refuses("--data " + x + "," + folder.write("h.npy", npy<float>("<f4", "(2, 2)", {1, 0, 1, 1})),
          {"h.npy", "sample 2", "not one-hot"});
}
TEST_F(BadInput, ArchiveOfSeveralFiles) {
  const auto two = folder.write("two.zip", zip({{"a.csv", "1,a\n2,b\n"}, {"b.csv", "3,a\n"}}));
  refuses("--data " + two, {"two.zip", "2 files: 'a.csv', 'b.csv'", "two.zip:a.csv", "unpack"});
  const std::string x = npy<float>("<f4", "(2, 1)", {1, 2});
  refuses("--data " + folder.write("n.npz", zip({{"arr_0.npy", x}, {"arr_1.npy", x}})),
          {"n.npz", "'arr_0', 'arr_1'", "file.npz:X,y"});
}
TEST_F(BadInput, DamagedArchive) {
  const std::string whole = stored_zip({{"a.csv", "1,a\n2,b\n"}});
  refuses("--data " + folder.write("cut.zip", whole.substr(0, 50)), {"cut.zip", "corrupt zip"});
  refuses("--data " + folder.write("cut.xz", compressed("xz", whole).substr(0, 80)),
          {"cut.xz", "truncated xz"});
}
TEST_F(BadInput, PipesThatCannotBeRead) {
  refuses("--data - --test-data - </dev/null", {"standard input is named twice", "read only once"});
  refuses("--data - </dev/null", {"standard input is empty"});
}

TEST_F(BadInput, OutputUnderAFile) {
  const auto file = folder.write("file", "");
  const CommandResult result = run_command(train + " --epochs 1 --output " + file + "/run");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.output.find("cannot create the output folder"), std::string::npos)
      << result.output;
  EXPECT_EQ(count(result.output, "epoch   1"), 0);  // found before training
}

// A limit on file sizes stands for a disk that fills up while the run goes on: 10 MiB, above what
// MPI's own files need and below the model's 17.
TEST_F(BadInput, OutputThatFillsUp) {
  const CommandResult result =
      run_command("trap '' XFSZ; ulimit -f 20480; " + train +
                  " --epochs 1 --hidden 2048,2048 --output " + (folder / "run"));
  EXPECT_NE(result.exit_code, 0);
  EXPECT_NE(result.output.find("model.dnn: File too large"), std::string::npos) << result.output;
  EXPECT_FALSE(std::filesystem::exists(folder / "run/model.dnn"));
}

}  // namespace
}  // namespace dnn::test
