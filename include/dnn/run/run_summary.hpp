#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "dnn/checkpoint/checkpoint_writer.hpp"
#include "dnn/checkpoint/run_folder.hpp"
#include "dnn/comm/communicator.hpp"
#include "dnn/evaluate/evaluator.hpp"
#include "dnn/evaluate/importance.hpp"
#include "dnn/plan/run_plan.hpp"
#include "dnn/run/recorded_run.hpp"
#include "dnn/store/training_data.hpp"
#include "dnn/train/cross_validation.hpp"
#include "dnn/train/length_search.hpp"
#include "dnn/train/training_result.hpp"

namespace dnn {

/// The part of summary.json that is not in the plan, the data or the trainer's result.
struct FinalFigures {
  DataIdentity data;                     ///< rank 0's
  std::string evaluated_on;              ///< "test", "validation" or "training"
  Evaluation best;                       ///< of the best epoch's model on that set
  Evaluation last;                       ///< of the last epoch's model on that set
  std::optional<FoundLength> length;     ///< where the length of training was searched for
  std::vector<FoldResult> folds;         ///< where the run was cross-validated; of rank 0
  std::vector<double> label_thresholds;  ///< of the best epoch's model; empty: 1/2
  std::string best_sha256;
  std::string last_sha256;
  std::optional<double> core_share;  ///< this rank's, see CoreWatch
  double importance_seconds = 0;     ///< what the importance of columns took
  double total_seconds = 0;          ///< since the start of the run
  CheckpointWriter::Report checkpoints;
  double checkpoint_stall_seconds = 0;
  std::string resumed_from;  ///< the checkpoint; empty: the run was started anew
};

/// Collective over `world`: writes summary.json and report.html on rank 0, with the seconds of
/// every rank. Throws AgreedError where the summary cannot be written, and warns where the report
/// cannot.
void write_summary(const Communicator& world, const RunFolder& folder, const Config& config,
                   const RunPlan& plan, const TrainingData& data, const TrainingResult& result,
                   const FinalFigures& figures);

/// Collective over `world`: writes evaluation.json on rank 0: which samples the best model was
/// evaluated on (`set`, `samples`), the `plots` of these (see make_plots; rank 0's count) and the
/// `importance` of the columns. Throws AgreedError where it cannot be written.
void write_evaluation(const Communicator& world, const RunFolder& folder,
                      const FinalFigures& figures, const nlohmann::ordered_json& plots,
                      const Importance& importance);

/// Collective over `world`: writes confusion.csv on rank 0 from every rank's counts: a matrix of
/// true classes (rows) by predicted ones, or, with more than 1000 classes, a line for each pair
/// that occurs. Throws AgreedError where it cannot be written.
void write_confusion(const Communicator& world, const RunFolder& folder,
                     const std::vector<std::string>& class_names, const Confusion& own);

}  // namespace dnn
