#pragma once

#include <string>
#include <vector>

#include "dnn/readers/part.hpp"

namespace dnn {

/// The words with which messages speak about a file of named arrays.
struct ArrayWords {
  std::string array;    ///< "array"
  std::string file;     ///< "archive"
  std::string example;  ///< how arrays are named: "file.npz:X,y"
};

/// The names of a data set's arrays in a file; empty: there is none.
struct ArrayPair {
  std::string features, labels;
};

/// An array's name as it is compared: in lower case, without folders, but "train_x" for train/x.
[[nodiscard]] std::string plain_array_name(const std::string& name);

/// Finds the features and the labels among the named arrays of a file. The usual names are, in any
/// case: x, features, data or images; y, label, labels, target or targets; for a data set of two
/// parts with train or test, as in x_train, train_x, or x in the folder train. Other folders do not
/// count.
class ArrayNames {
 public:
  /// `origin` names the file in errors.
  ArrayNames(std::vector<std::string> names, std::string origin, ArrayWords words);

  /// The arrays of a part, by their names; the only array of a file is its features. Throws
  /// InputError where two arrays may be meant.
  [[nodiscard]] ArrayPair of(Part part) const;

  /// Whether there are arrays of a test part; `labelled`: its labels as well.
  [[nodiscard]] bool has_test_part(bool labelled) const;

  /// The arrays to read: those of `selection`, "features" or "features,labels", or where it is
  /// empty, those of the part. Throws InputError where names are missing; labels may be, if
  /// `labels_optional`.
  [[nodiscard]] ArrayPair to_read(const std::string& selection, Part part,
                                  bool labels_optional) const;

  /// Throws InputError for an array that is not in the file, with the names of those that are.
  [[noreturn]] void refuse(const std::string& name) const;

  [[nodiscard]] const std::vector<std::string>& all() const { return names_; }

 private:
  [[nodiscard]] std::string find(const std::vector<std::string>& usual,
                                 const std::string& part_word) const;
  [[nodiscard]] std::string how_to_select() const;

  std::vector<std::string> names_;
  std::string origin_;
  ArrayWords words_;
};

}  // namespace dnn
