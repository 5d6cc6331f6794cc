#pragma once

#include <string>

#include "dnn/checkpoint/checkpoint.hpp"
#include "dnn/checkpoint/checkpoint_control.hpp"
#include "dnn/comm/rank_grid.hpp"
#include "dnn/model/provenance.hpp"
#include "dnn/report/reporter.hpp"
#include "dnn/store/training_data.hpp"
#include "dnn/train/best_model.hpp"
#include "dnn/train/distributed_model.hpp"
#include "dnn/train/training_position.hpp"
#include "dnn/train/training_result.hpp"

namespace dnn {

/// Puts the state of a run between two updates into checkpoints, and takes it back from them.
/// Collective over the grid's world.
template <class T>
class RunSaver {
 public:
  /// The state of a run; all references must outlive the saver.
  struct State {
    RankGrid& grid;
    const TrainingData& data;
    DistributedModel<T>& model;
    BestModel& models;
    TrainingPosition& position;
    TrainingResult& result;
  };

  /// `control`: null where no checkpoints are written; must outlive the saver.
  RunSaver(const State& state, const Provenance& provenance, CheckpointControl* control);

  /// Whether the run writes checkpoints; the same on all ranks.
  [[nodiscard]] bool writes() const { return control_ != nullptr && control_->writes(); }

  /// Hands a checkpoint of the state to the control, if the run writes any.
  void save();

  /// The state becomes that of rank 0's `checkpoint`; the other ranks' is not used. Throws
  /// AgreedError where it is of another network.
  void restore(Checkpoint checkpoint, Reporter& reporter);

  /// The state becomes that of the newest good checkpoint.
  void go_back(Reporter& reporter);

  /// Saves the state at once and waits until it is written. Returns where, or why not, as a line
  /// that ends a message; empty where the run writes no checkpoints.
  [[nodiscard]] std::string save_for_good();

 private:
  State state_;
  const Provenance& provenance_;
  CheckpointControl* control_;
};

}  // namespace dnn
