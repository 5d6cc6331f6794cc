#include "dnn/readers/table_files.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "dnn/core/error.hpp"
#include "dnn/readers/data_source.hpp"
#include "support/archive_files.hpp"
#include "support/dataset_row.hpp"
#include "support/expect_error.hpp"
#include "support/reading_team.hpp"
#include "support/temporary_folder.hpp"

namespace dnn {
namespace {

std::string table_of(std::size_t rows) {
  std::string text = "x,text,label\n";
  for (std::size_t i = 0; i < rows; ++i) {
    text += std::to_string(0.5 * static_cast<double>(i)) + ",\"t\n" + std::to_string(i % 4) +
            "\"," + (i % 3 == 0 ? "a" : "b") + "\n";
  }
  return text;
}

bool is_about_compression(const std::string& note) {
  return note.find("compressed text cannot be cut") != std::string::npos;
}

/// Reads the files; a team says that it has shared out the compressed ones.
auto team_reader_of(const std::vector<std::string>& files, bool some_are_compressed) {
  return [&files, some_are_compressed](const ReadingTeam& team) {
    Dataset data = read_table_files(files, "parts", {.chunk_bytes = 200, .team = team});
    const auto about = std::erase_if(data.notes, is_about_compression);
    EXPECT_EQ(about, some_are_compressed && !team.is_alone() ? 1U : 0U);
    return data;
  };
}

TEST(TableFiles, ATeamSharesOutFilesOfAnySizeAndForm) {
  const test::TemporaryFolder folder;
  const std::vector<std::size_t> rows = {1, 70, 4, 0, 17, 33};
  std::vector<std::string> plain;
  std::vector<std::string> mixed;
  std::vector<std::string> packed;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::string name = "part" + std::to_string(i) + ".csv";
    plain.push_back(folder.write(name, table_of(rows[i])));
    packed.push_back(folder.write(name + ".gz", test::compressed("gzip", table_of(rows[i]))));
    mixed.push_back(i % 2 == 0 ? plain.back() : packed.back());
  }
  for (const std::size_t members : {2U, 3U, 7U}) {
    test::expect_same_by_team(members, team_reader_of(plain, false));
    test::expect_same_by_team(members, team_reader_of(mixed, true));
    test::expect_same_by_team(members, team_reader_of(packed, true));
  }
}

TEST(TableFiles, ATableThatIsThereTwiceIsNotReadTwice) {
  const test::TemporaryFolder folder;
  folder.write("a.csv", table_of(3));
  folder.write("a.csv.gz", test::compressed("gzip", table_of(3)));
  const auto expect_refusal = [](auto&& find) {
    test::expect_error<InputError>(find, {"a.csv and a.csv.gz", "count twice"});
  };
  expect_refusal([&] { (void)tables_in(folder.path(), Part::train); });
  expect_refusal([&] { (void)find_table_files(folder / "*.csv*"); });
  EXPECT_EQ(find_table_files(folder / "*.csv").value().size(), 1U);
  EXPECT_EQ(find_table_files((folder / "a.csv") + "," + (folder / "a.csv.gz")).value().size(), 2U);
}

TEST(TableFiles, AListIsReadInItsOrderAPatternAndAFolderByName) {
  const test::TemporaryFolder folder;
  const std::string z = folder.write("z.csv", "x,label\n1,a\n2,b\n");
  const std::string a = folder.write("a.csv", "x,label\n3,b\n");
  const auto first_of = [](const std::string& source, const std::string& note) {
    const Dataset data = DataSource(source).read(Part::train, {});
    EXPECT_NE(data.notes.front().find(note), std::string::npos) << data.notes.front();
    return test::row(data, 0);
  };
  const std::string by_name = "2 files, " + a + " to " + z;
  EXPECT_EQ(first_of(z + "," + a, "2 files, " + z + " to " + a), (std::vector<double>{1}));
  EXPECT_EQ(first_of(a + "," + z, by_name), (std::vector<double>{3}));
  EXPECT_EQ(first_of(folder / "*.csv", by_name), (std::vector<double>{3}));
  EXPECT_EQ(first_of(folder.path(), by_name), (std::vector<double>{3}));
  EXPECT_NE(DataSource::identity_of(z + "," + a), DataSource::identity_of(a + "," + z));
}

TEST(TableFiles, TheTestPartOfAFolderIsNamedSo) {
  const test::TemporaryFolder folder;
  const auto write_all = [&folder](const std::vector<std::string>& names) {
    std::vector<std::string> paths;
    for (const std::string& name : names) {
      paths.push_back(folder.write(name, "x,label\n1,a\n2,b\n"));
    }
    std::sort(paths.begin(), paths.end());
    return paths;
  };
  const auto train =
      write_all({"attestation.csv", "b.CSV", "contest.csv", "c.Csv.GZ", "latest.csv", "LATEST.TXT",
                 "KDDTrain+.txt", "Tested.csv", "testimony.csv", "UNSW_NB15_training-set.csv"});
  const auto tests = write_all({"test.csv", "Test.csv", "TEST.CSV", "x_test-1.csv", "KDDTest+.txt",
                                "UNSW_NB15_testing-set.csv", "Testing.csv", "unit tests.tsv",
                                "testData.csv", "XTest.csv", "my2ndTest.csv"});
  EXPECT_EQ(tables_in(folder.path(), Part::train), train);
  EXPECT_EQ(tables_in(folder.path(), Part::test), tests);
}

TEST(TableFiles, TheFirstDamagedFileIsTheErrorOfAll) {
  const test::TemporaryFolder folder;
  std::vector<std::string> files;
  for (std::size_t i = 0; i < 6; ++i) {
    const std::string contents = test::compressed("gzip", table_of(50 + i));
    const bool is_damaged = i == 2 || i == 3 || i == 5;
    files.push_back(folder.write("part" + std::to_string(i) + ".csv.gz",
                                 is_damaged ? contents.substr(0, contents.size() / 2) : contents));
  }
  for (const std::size_t members : {2U, 3U, 4U, 5U}) {
    SCOPED_TRACE(members);
    test::expect_same_by_team(members, team_reader_of(files, true));
  }
}

TEST(DataSource, IdentityFollowsTheFilesAndIsEmptyForStreamsAndFilesThatAreGone) {
  const test::TemporaryFolder folder;
  folder.write("part-1.csv", "1,2,a\n");
  folder.write("part-2.csv", "3,4,b\n");
  const std::string pattern = folder / "part-*.csv";
  const std::string first = DataSource::identity_of(pattern);
  EXPECT_NE(first.find("part-2.csv"), std::string::npos);
  EXPECT_EQ(DataSource::identity_of(pattern), first);
  folder.write("part-2.csv", "3,4,bb\n");
  EXPECT_NE(DataSource::identity_of(pattern), first);
  // Written anew in its place, with the time of before.
  const std::string second = folder / "part-2.csv";
  const std::string before = DataSource::identity_of(second);
  const auto time = std::filesystem::last_write_time(second);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // longer than a tick of the clock
  folder.write("part-2.csv", "3,5,bb\n");
  std::filesystem::last_write_time(second, time);
  EXPECT_NE(DataSource::identity_of(second), before);
  EXPECT_EQ(DataSource::identity_of("-"), "");
  EXPECT_EQ(DataSource::identity_of("-:b.csv"), "");
  EXPECT_NE(DataSource::identity_of(folder / "part-1.csv," + second), "");
  EXPECT_EQ(DataSource::identity_of(folder / "gone.npy," + second), "");
  EXPECT_EQ(DataSource::identity_of(folder / "gone.csv," + second), "");
}

}  // namespace
}  // namespace dnn
