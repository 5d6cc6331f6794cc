#pragma once

#include <string>

#include "dnn/data/bytes.hpp"
#include "dnn/data/dataset.hpp"
#include "dnn/readers/array_names.hpp"
#include "dnn/readers/part.hpp"
#include "dnn/tables/read_options.hpp"

namespace dnn {

/// Archives of NumPy's arrays, as numpy.savez writes them (.npz): a zip archive (a tar archive does
/// as well) of .npy files, stored or deflated. The arrays are told apart by their names, see
/// ArrayNames.
class NpzArchive {
 public:
  /// `origin` names the archive in errors. Throws InputError for a corrupt archive.
  NpzArchive(Bytes archive, std::string origin);

  /// Whether there are arrays in the archive.
  [[nodiscard]] bool has_arrays() const { return !names_.all().empty(); }

  /// Whether there are arrays of a test part; `labelled`: its labels as well.
  [[nodiscard]] bool has_test_part(bool labelled) const { return names_.has_test_part(labelled); }

  /// The data of a part. `selection`: the names of the arrays to read instead, "features" or
  /// "features,labels"; empty: by the names above; an archive of one array holds the labels as a
  /// column. Throws InputError where the arrays are not there, with the names of those that are.
  [[nodiscard]] Dataset read(const std::string& selection, Part part,
                             const ReadOptions& options) const;

 private:
  Bytes archive_;
  std::string origin_;
  ArrayNames names_;  ///< without .npy
};

}  // namespace dnn
