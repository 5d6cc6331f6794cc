#include "dnn/store/leader_team.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <new>

#include "dnn/core/error.hpp"
#include "dnn/readers/libsvm_reader.hpp"
#include "dnn/store/data_access.hpp"
#include "dnn/store/shared_dataset.hpp"
#include "dnn/store/training_data.hpp"
#include "dnn/tables/read_table.hpp"
#include "support/array_files.hpp"
#include "support/expect_error.hpp"
#include "support/mpi_world.hpp"
#include "support/shared_folder.hpp"

namespace dnn {
namespace {

using test::self;
using test::world;

/// A node of this host for every `ranks` ranks or so: ranks that give different numbers share no
/// memory.
int domain_of(int domains) {
  return world().rank() % domains;
}

/// Rows with texts that have line ends in them, and numbers that need float.
std::string made_up_csv(std::size_t rows) {
  std::string text = "x,y,text,label\r\n";
  for (std::size_t i = 0; i < rows; ++i) {
    text += std::to_string(std::sin(static_cast<double>(i))) + "," +
            (i % 7 == 0 ? "" : std::to_string(i * i % 101)) + ",\"t" + std::to_string(i % 5) +
            "\r\nu\"," + (i % 3 == 0 ? "a" : "b") + "\r\n";
  }
  return text;
}

std::string made_up_svm(std::size_t rows) {
  std::string text;
  for (std::size_t i = 0; i < rows; ++i) {
    text += std::to_string(i % 3) + " " + std::to_string(1 + i % 4) + ":0.5 " +
            std::to_string(7 + i % 11) + ":" + std::to_string(i) + "\n";
  }
  return text;
}

/// Seven tables of unequal size, as --data names them.
std::string write_seven(const test::SharedFolder& folder) {
  std::string list;
  for (const std::size_t rows : {10U, 400U, 3U, 1U, 77U, 1200U, 20U}) {
    const std::string name = "part" + std::to_string(list.size()) + ".csv";
    list += (list.empty() ? "" : ",") + folder.write(name, made_up_csv(rows));
  }
  return list;
}

void expect_same(const Dataset& data, const Dataset& expected) {
  const auto same = [](const Bytes& a, const Bytes& b) {
    return std::equal(a.view.begin(), a.view.end(), b.view.begin(), b.view.end());
  };
  EXPECT_FALSE(data.held);
  EXPECT_EQ(data.samples, expected.samples);
  EXPECT_EQ(data.class_names, expected.class_names);
  EXPECT_TRUE(same(data.values, expected.values));
  EXPECT_TRUE(same(data.value_columns, expected.value_columns));
  EXPECT_TRUE(same(data.row_offsets, expected.row_offsets));
  EXPECT_TRUE(same(data.labels, expected.labels));
}

TEST(LeaderTeam, WhatLeadersReadInPartsIsCompleteOnEachNode) {
  for (const int domains : {1, 2, 3, world().size()}) {
    for (const std::size_t rows : {1U, 2U, 150U}) {
      Node node(world(), domain_of(domains));
      const LeaderTeam leaders(world(), node);
      const std::string csv = made_up_csv(rows + 1);
      const std::string svm = made_up_svm(rows + 1);
      const auto table = [&csv](const ReadingTeam& team) {
        return read_table(std::as_bytes(std::span(csv)), "d.csv",
                          {.chunk_bytes = 100, .team = team});
      };
      const auto sparse = [&svm](const ReadingTeam& team) {
        return read_libsvm(std::as_bytes(std::span(svm)), "d.svm", {.team = team});
      };
      expect_same(share_dataset(world(), node, leaders.run(table)), table({}));
      expect_same(share_dataset(world(), node, leaders.run(sparse)), sparse({}));
      node.close();
    }
  }
}

TEST(LeaderTeam, TheRunsDataAreThoseOfOneRank) {
  const test::SharedFolder folder;
  const std::string large = made_up_csv(400'000);  // of several chunks
  const std::vector<std::string> sources = {
      folder.write("d.csv", large), write_seven(folder), folder.write("d.svm", made_up_svm(500)),
      folder.write("X.npy", test::npy<float>("<f4", "(4, 2)", {1, 2, 3, 4, 5, 6, 7, 8})) + "," +
          folder.write("y.npy", test::npy<std::int32_t>("<i4", "(4,)", {0, 1, 0, 1}))};
  for (const std::string& source : sources) {
    for (const DataAccess access : {DataAccess::automatic, DataAccess::shared, DataAccess::local}) {
      SCOPED_TRACE(source);
      DataSettings settings;
      settings.data = source;
      settings.data_access = access;
      Node node(world(), domain_of(2));
      Node alone(self());
      const TrainingData many = load_training_data(settings, RankGrid(world(), node, 1));
      const TrainingData one = load_training_data(settings, RankGrid(self(), alone, 1));
      EXPECT_TRUE(many.digest == one.digest);
      EXPECT_EQ(many.normalizer.center, one.normalizer.center);
      EXPECT_EQ(many.normalizer.scale, one.normalizer.scale);
      const bool is_text = source.find(".npy") == std::string::npos;
      const std::size_t notes = world().size() > 1 ? 1 : 0;
      ASSERT_EQ(many.train.notes.size(), one.train.notes.size() + notes);
      if (notes > 0) {
        EXPECT_NE(many.train.notes.back().find(!is_text ? "mapped by each"
                                               : access == DataAccess::local
                                                   ? "reads all of it"
                                                   : "each reads a part of them"),
                  std::string::npos)
            << many.train.notes.back();
      }
      node.close();
      alone.close();
    }
  }
}

TEST(LeaderTeam, AnErrorInTheDataIsTheSameOnAllRanks) {
  const test::SharedFolder folder;
  std::string lines = made_up_svm(200);
  lines.insert(lines.find("\n", lines.size() / 3) + 1, "1 3:x\n");
  lines += "1 1:1 1:2\n";
  DataSettings settings;
  settings.data = folder.write("d.svm", lines);
  const auto message = [&](const RankGrid& grid) {
    try {
      (void)load_training_data(settings, grid);
    } catch (const AgreedError& error) {
      EXPECT_EQ(error.fault(), Fault::input);
      return std::string(error.what());
    }
    return std::string();
  };
  Node node(world(), world().rank());
  Node alone(self());
  const std::string expected = message(RankGrid(self(), alone, 1));
  EXPECT_NE(expected.find("d.svm: line "), std::string::npos);
  EXPECT_EQ(message(RankGrid(world(), node, 1)), expected);
  node.close();
  alone.close();
}

TEST(LeaderTeam, ALeaderThatFailsAloneEndsAll) {
  Node node(world(), world().rank());
  const LeaderTeam leaders(world(), node);
  const int last = world().size() - 1;
  const auto fail_on_last = [&](const auto& error) {
    return [&, error](const ReadingTeam& team) {
      EXPECT_EQ(team.exchange_value(team.index()).size(), team.size());
      if (world().rank() == last) {
        throw error;
      }
      return team.places_of(3).total;
    };
  };
  test::expect_error<AgreedError>([&] { (void)leaders.run(fail_on_last(InputError("no d.csv"))); },
                                  {"no d.csv", last > 0 ? "on host " : ""});
  try {
    (void)leaders.run(fail_on_last(std::bad_alloc()));
    ADD_FAILURE() << "no error";
  } catch (const AgreedError& error) {
    EXPECT_EQ(error.fault(), Fault::memory);
  }
  // It has done no harm to what comes next.
  const auto total = leaders.run([](const ReadingTeam& team) { return team.places_of(2).total; });
  EXPECT_EQ(*total, 2 * static_cast<std::size_t>(world().size()));
  node.close();
}

TEST(LeaderTeam, FilesAreSharedWhereAllHostsSeeTheSame) {
  const test::SharedFolder folder;
  const std::string one = folder.write("d.csv", "1,2\n");
  const test::TemporaryFolder own;  // as on a disk of the host's own
  const std::string copy = own.write("d.csv", "1,2\n");
  const std::string other =
      own.write("e.csv", world().rank() == world().size() - 1 ? "1,2,3\n" : "1,2\n");
  Node node(world(), world().rank());
  const LeaderTeam leaders(world(), node);
  const bool several = world().size() > 1;
  const auto access = [&](const std::string& path, DataAccess wanted) {
    return *leaders.run([&](const ReadingTeam& team) {
      return find_access(team, {FileStamp(path), FileStamp("/dev/null")}, wanted);
    });
  };
  EXPECT_EQ(access(one, DataAccess::automatic).is_shared, several);
  EXPECT_EQ(access(one, DataAccess::shared).is_shared, several);
  EXPECT_FALSE(access(one, DataAccess::local).is_shared);
  EXPECT_FALSE(access("/dev/null", DataAccess::shared).is_shared);  // no file
  const FileAccess copies = access(copy, DataAccess::automatic);
  EXPECT_FALSE(copies.is_shared);
  EXPECT_EQ(copies.why_not.empty(), !several);
  if (several) {
    test::expect_error<AgreedError>([&] { (void)access(other, DataAccess::shared); },
                                    {"--data-access shared", "d", " on ", "--data-access local"});
  }
  node.close();
}

}  // namespace
}  // namespace dnn
