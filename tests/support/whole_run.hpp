#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "dnn/core/threads.hpp"
#include "dnn/plan/load_data.hpp"
#include "dnn/plan/run_plan.hpp"
#include "dnn/store/data_fingerprint.hpp"
#include "dnn/train/trainer.hpp"
#include "support/open_grid.hpp"

namespace dnn::test {

template <class T>
struct Trained {
  std::vector<T> parameters;  ///< of the whole network, on all ranks
  TrainingResult result;
  Evaluation evaluation;
  Confusion confusion;  ///< of all ranks, by rank 0
};

struct Job {
  std::string write_to;        ///< folder for checkpoints; empty: none
  std::string resume_from;     ///< a checkpoint
  bool in_parts = false;       ///< all ranks write
  int domain = 0;              ///< of this rank, see RankGrid
  int node = 0;                ///< of this rank, see OpenGrid
  std::string interval = "7";  ///< of the checkpoints
};

using LoadData = std::function<TrainingData(const Config&, const RankGrid&)>;

/// Collective over `ranks`: a whole run, on a grid of these ranks as `config` says.
template <class T>
Trained<T> train(Config config, const Communicator& ranks, const Job& job = {},
                 const LoadData& load = load_data) {
  if (config.precision != Precision::bf16) {
    config.precision = sizeof(T) == sizeof(double) ? Precision::f64 : Precision::f32;
  }
  OpenGrid of(ranks, config.model_parallel, job.domain, job.node);
  Trained<T> trained;
  {
    const TrainingData data = load(config, of.grid);
    const RunPlan plan = RunPlan::make(config, of.grid, data);
    set_threads(plan.threads);
    Reporter silent(Reporter::Mode::silent);
    CheckpointControl control(
        ranks, nullptr,
        {CheckpointInterval::parse(job.write_to.empty() ? "off" : job.interval), 1000, job.write_to,
         data_fingerprint(data), job.in_parts});
    Trainer<T> trainer(config, of.grid, plan, data, silent, {.control = &control});
    if (!job.resume_from.empty()) {
      trainer.resume(ranks.is_root() ? load_checkpoint(job.resume_from) : Checkpoint{});
    }
    trainer.run();
    trained.result = trainer.result();
    std::vector<std::byte> bytes = trainer.parameters();
    bytes.resize(plan.layout.parameter_count() * sizeof(T));
    ranks.broadcast(std::span(bytes), 0);
    trained.parameters.resize(plan.layout.parameter_count());
    std::memcpy(trained.parameters.data(), bytes.data(), bytes.size());
    EXPECT_EQ(trainer.parameters_sha256().size(), 64U);
    trainer.use_best();
    trained.evaluation = trainer.final_evaluation(trained.confusion);
    std::uint64_t counted = 0;
    for (const auto& [pair, count] : trained.confusion) {
      counted += count;
    }
    EXPECT_EQ(ranks.all_reduce(counted, Reduction::sum), trained.evaluation.samples);
  }
  of.close();
  return trained;
}

/// Expects the same parameters, epochs and evaluation, to `tolerance`.
template <class T>
void expect_same_run(const Trained<T>& split, const Trained<T>& one, double tolerance,
                     const std::string& what) {
  EXPECT_EQ(split.parameters.size(), one.parameters.size());
  double worst = 0;
  for (std::size_t i = 0; i < one.parameters.size(); ++i) {
    worst = std::max(worst, std::abs(static_cast<double>(split.parameters[i]) -
                                     static_cast<double>(one.parameters[i])));
  }
  EXPECT_LE(worst, tolerance) << what;
  EXPECT_EQ(split.result.epochs.size(), one.result.epochs.size()) << what;
  EXPECT_EQ(split.result.best_epoch, one.result.best_epoch) << what;
  for (std::size_t i = 0; i < std::min(split.result.epochs.size(), one.result.epochs.size()); ++i) {
    const EpochMetrics& a = split.result.epochs[i];
    const EpochMetrics& b = one.result.epochs[i];
    EXPECT_NEAR(a.train.loss, b.train.loss, tolerance) << what;
    EXPECT_EQ(a.train.samples, b.train.samples) << what;
    EXPECT_NEAR(a.train.accuracy, b.train.accuracy, 10 * tolerance) << what;
    EXPECT_NEAR(a.validation->loss, b.validation->loss, tolerance) << what;
    EXPECT_NEAR(a.validation->accuracy, b.validation->accuracy, 10 * tolerance) << what;
  }
  EXPECT_NEAR(split.evaluation.loss, one.evaluation.loss, tolerance) << what;
  EXPECT_NEAR(split.evaluation.accuracy, one.evaluation.accuracy, 10 * tolerance) << what;
  EXPECT_NEAR(split.evaluation.top5_accuracy, one.evaluation.top5_accuracy, 10 * tolerance) << what;
  EXPECT_GE(one.evaluation.top5_accuracy, one.evaluation.accuracy) << what;
}

}  // namespace dnn::test
