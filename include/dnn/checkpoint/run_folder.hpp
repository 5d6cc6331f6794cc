#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace dnn {

/// The folder of one run and the names of its files. Only one rank of a job holds one that writes.
class RunFolder {
 public:
  /// The folder that `wanted` names, or the first free runs/NNN where it is empty. Throws
  /// InputError where it holds a run already and `overwrite` is not set. Changes nothing on the
  /// disk.
  [[nodiscard]] static RunFolder choose(const std::string& wanted, bool overwrite);

  explicit RunFolder(std::string path);

  /// Creates the folder, and makes sure that it can be written and that the disk has room for
  /// `bytes`, what an earlier run in it takes included. Throws FileError or InputError; the disk is
  /// then as it was.
  void prepare(std::size_t bytes) const;
  /// The same for the first runs/NNN that there is not. Jobs that start together get different
  /// ones.
  [[nodiscard]] static RunFolder prepare_numbered(std::size_t bytes);

  /// The time by the clock of the folder's file system, which may be another host's; this host's
  /// where no file can be written.
  [[nodiscard]] std::filesystem::file_time_type file_time() const;

  /// What a run in this folder has to fear, one line each: that written files do not survive a
  /// power cut, or that other users may put their own files in the place of the run's.
  [[nodiscard]] std::vector<std::string> weaknesses() const;

  /// Creates the folder, where there is none; returns whether this call has. Throws FileError.
  bool create() const;

  /// Removes an earlier run's files, its checkpoints too, and the record of its start.
  void clear() const;
  /// Removes an earlier run's results, and what a write of them that was killed has left.
  void remove_results() const;

  /// Whether there are files of a run in it.
  [[nodiscard]] bool holds_run() const;

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string best_model() const { return file("model.dnn"); }
  [[nodiscard]] std::string last_model() const { return file("last.dnn"); }
  [[nodiscard]] std::string metrics() const { return file("metrics.jsonl"); }
  [[nodiscard]] std::string summary() const { return file("summary.json"); }
  [[nodiscard]] std::string confusion() const { return file("confusion.csv"); }
  /// What the report draws of the evaluated samples (see make_plots), and the columns' importance.
  [[nodiscard]] std::string evaluation() const { return file("evaluation.json"); }
  /// A line every so many updates (see StepLog).
  [[nodiscard]] std::string steps() const { return file("steps.jsonl"); }
  /// When the ranks were in which phase (see PhaseTrace).
  [[nodiscard]] std::string trace() const { return file("trace.json"); }
  /// The folder of TensorBoard's event files.
  [[nodiscard]] std::string tensorboard() const { return file("tensorboard"); }
  /// The page that shows the run (see write_report).
  [[nodiscard]] std::string report() const { return file("report.html"); }
  /// Reports of updates that were not finite; they outlive a resumption.
  [[nodiscard]] std::string nonfinite() const { return file("nonfinite.jsonl"); }
  /// What networks say of the samples that their folds leave out, and the folds' results. Both
  /// outlive a resumption.
  [[nodiscard]] std::string out_of_fold() const { return file("out-of-fold.csv"); }
  [[nodiscard]] std::string folds() const { return file("folds.json"); }
  /// What the run has said, on the screen or not.
  [[nodiscard]] std::string log() const { return file("run.log"); }
  /// The folder of checkpoints.
  [[nodiscard]] std::string checkpoints() const { return file("checkpoints"); }
  /// What the run was begun with, until it is finished (see record_start).
  [[nodiscard]] std::string started() const { return file("run.json"); }
  /// The file whose appearance stops the run.
  [[nodiscard]] std::string stop() const { return file("stop"); }

 private:
  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }
  [[nodiscard]] std::vector<std::string> files() const;
  void require_usable(std::size_t bytes, bool is_new) const;
  void require_writable() const;
  void require_space(std::size_t bytes) const;

  std::string path_;
};

}  // namespace dnn
