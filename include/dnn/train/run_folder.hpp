#pragma once

#include <cstddef>
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

  /// Creates the folder, makes sure that it can be written and that the disk has room for `bytes`,
  /// and removes an earlier run's files from it. Throws FileError or InputError; the disk is then
  /// as it was.
  void prepare(std::size_t bytes) const;

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string best_model() const { return file("model.dnn"); }
  [[nodiscard]] std::string last_model() const { return file("last.dnn"); }
  [[nodiscard]] std::string metrics() const { return file("metrics.jsonl"); }
  [[nodiscard]] std::string summary() const { return file("summary.json"); }
  [[nodiscard]] std::string confusion() const { return file("confusion.csv"); }

 private:
  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }
  [[nodiscard]] std::vector<std::string> files() const;
  [[nodiscard]] bool holds_run() const;
  void check_room(std::size_t bytes) const;

  std::string path_;
};

}  // namespace dnn
