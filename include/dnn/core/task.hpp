#pragma once

namespace dnn {

/// What a network learns to say of a sample.
enum class Task {
  automatic,    ///< to be found from the data; no data set has it
  classes,      ///< which one of several classes: softmax
  labels,       ///< which of several labels, any number of them: a sigmoid for each
  numbers,      ///< one or several numbers (regression): the last layer's values as they are
  distribution  ///< how probable each of several classes is: softmax
};

/// The word for a task, as in --task.
[[nodiscard]] constexpr const char* word_for(Task task) {
  switch (task) {
    case Task::classes:
      return "classes";
    case Task::labels:
      return "labels";
    case Task::numbers:
      return "numbers";
    case Task::distribution:
      return "distribution";
    default:
      return "auto";
  }
}

/// Whether a sample's target is a value for each output, rather than a class.
[[nodiscard]] constexpr bool has_target_rows(Task task) {
  return task == Task::labels || task == Task::numbers || task == Task::distribution;
}

/// Whether the largest output is the answer, which is right or wrong.
[[nodiscard]] constexpr bool has_accuracy(Task task) {
  return task == Task::classes || task == Task::distribution;
}

}  // namespace dnn
