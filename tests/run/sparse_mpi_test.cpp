// Runs on data whose rows stay sparse: the model of one rank's at any number of ranks, in every
// grid of them, by every exchange, and after a resume; and the model of dense rows, where the
// optimizer allows.

#include <gtest/gtest.h>

#include <string>

#include "dnn/checkpoint/checkpoint_folder.hpp"
#include "support/shared_folder.hpp"
#include "support/sparse_file.hpp"
#include "support/whole_run.hpp"

namespace dnn {
namespace {

using test::Job;
using test::model_ranks;
using test::self;
using test::SharedFolder;
using test::sparse_text;
using test::world;

Config small_run(const std::string& data) {
  Config config;
  config.data = data;
  config.hidden = {37, 16};
  config.epochs = 2;
  config.batch_size = 50;  // of 135 samples: a last batch of 35
  config.logical_shards = 8;
  config.validation = 0.1;
  config.threads = 1;
  return config;
}

/// All that a run may be told about its updates.
void use_everything(Config& config) {
  config.dropout = 0.2;
  config.clip_norm = 0.4;
  config.weight_decay = 0.01;
  config.class_weights = ClassWeights::balanced;
  config.label_smoothing = 0.1;
}

/// load_data, but for samples as dense rows, normalized alike.
TrainingData load_dense(const Config& config, const RankGrid& grid) {
  TrainingData data = load_data(config, grid);
  EXPECT_TRUE(data.sparse_rows);
  data.sparse_rows = false;
  return data;
}

template <class T>
class Sparse : public testing::Test {
 protected:
  [[nodiscard]] Config config() const { return small_run(data_); }

 private:
  SharedFolder folder_;
  std::string data_ = folder_.write("train.svm", sparse_text());
};
using Elements = testing::Types<float, double>;
TYPED_TEST_SUITE(Sparse, Elements);

TYPED_TEST(Sparse, PlainDescentGivesTheBitsOfDenseRows) {
  Config config = this->config();
  config.optimizer = OptimizerKind::sgd;
  config.clip_norm = 0.7;
  config.dropout = 0.2;
  for (const Normalization kind : {Normalization::standard, Normalization::minmax}) {
    config.normalize = kind;
    const auto sparse = test::train<TypeParam>(config, world());
    const auto dense = test::train<TypeParam>(config, world(), {}, load_dense);
    test::expect_same_run(sparse, dense, 0, "sparse against dense");
  }
}

TYPED_TEST(Sparse, EveryExchangeGivesTheModelOfOneRank) {
  Config config = this->config();
  use_everything(config);
  for (const OptimizerKind optimizer : {OptimizerKind::nesterov, OptimizerKind::adamw}) {
    config.optimizer = optimizer;
    config.exchange = ExchangeKind::automatic;
    const auto one = test::train<TypeParam>(config, self());
    for (const ExchangeKind kind :
         {ExchangeKind::tree, ExchangeKind::node, ExchangeKind::overlap}) {
      config.exchange = kind;
      config.bucket_mib = 0.002;
      config.threads = kind == ExchangeKind::node ? 2 : 1;
      test::expect_same_run(test::train<TypeParam>(config, world()), one, 0, "exchange");
    }
    config.exchange = ExchangeKind::node;
    const Job two_domains{.domain = world().rank() % 2};
    test::expect_same_run(test::train<TypeParam>(config, world(), two_domains), one, 0, "domains");
  }
}

TYPED_TEST(Sparse, EveryGridGivesTheModelOfOneRank) {
  for (const bool hidden : {true, false}) {
    Config config = this->config();
    use_everything(config);
    config.least_block_classes = 2;
    if (!hidden) {
      config.hidden = {};  // the first layer is the one that is split
    }
    const auto one = test::train<TypeParam>(config, self());
    for (const std::size_t m : model_ranks()) {
      config.model_parallel = m;
      test::expect_same_run(test::train<TypeParam>(config, world()), one, 0,
                            "M = " + std::to_string(m));
    }
  }
}

TYPED_TEST(Sparse, OtherSumsGiveTheModelOfOneRankToRounding) {
  Config config = this->config();
  config.optimizer = OptimizerKind::momentum;
  const double tolerance = sizeof(TypeParam) == sizeof(double) ? 1e-12 : 1e-4;
  const auto one = test::train<TypeParam>(config, self());
  config.exchange = ExchangeKind::allreduce;
  test::expect_same_run(test::train<TypeParam>(config, world()), one, tolerance, "allreduce");
  config.exchange = ExchangeKind::automatic;
  config.split_hidden = true;
  config.least_split_nodes = 1;
  config.model_parallel = static_cast<std::size_t>(world().size());
  test::expect_same_run(test::train<TypeParam>(config, world()), one, tolerance, "split hidden");
}

// Of two domains that compress between them: rows of W^1 are left as they are, and what was rounded
// away elsewhere is in the checkpoint.
TEST(SparseCompressed, TrainsAndResumes) {
  const SharedFolder folder;
  Config config = small_run(folder.write("train.svm", sparse_text()));
  config.epochs = 4;
  config.optimizer = OptimizerKind::sgd;
  const auto one = test::train<float>(config, self());
  config.compress = Compression::bf16;
  const int domain = world().rank() % 2;
  const auto whole =
      test::train<float>(config, world(), {.write_to = folder.path(), .domain = domain});
  test::expect_same_run(whole, one, 0.02, "compressed");
  const std::string checkpoint = CheckpointFolder(folder.path()).file_for(7);
  test::expect_same_run(
      test::train<float>(config, world(), {.resume_from = checkpoint, .domain = domain}), whole, 0,
      "resumed");
}

TYPED_TEST(Sparse, ResumesBitForBit) {
  Config config = this->config();
  use_everything(config);
  config.epochs = 4;
  const SharedFolder folder;
  for (const bool in_parts : {false, true}) {
    const auto whole =
        test::train<TypeParam>(config, world(), {.write_to = folder.path(), .in_parts = in_parts});
    test::expect_same_run(whole, test::train<TypeParam>(config, self()), 0, "writing");
    const std::string checkpoint = CheckpointFolder(folder.path()).file_for(7);
    test::expect_same_run(test::train<TypeParam>(config, world(), {.resume_from = checkpoint}),
                          whole, 0, "resumed");
    test::expect_same_run(test::train<TypeParam>(config, self(), {.resume_from = checkpoint}),
                          whole, 0, "alone");
  }
}

}  // namespace
}  // namespace dnn
