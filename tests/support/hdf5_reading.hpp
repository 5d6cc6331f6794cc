#pragma once

// Reads HDF5 files for tests, as --data names them.

#include <initializer_list>
#include <numeric>
#include <string>
#include <vector>

#include "dnn/core/error.hpp"
#include "dnn/readers/data_source.hpp"
#include "support/expect_error.hpp"

namespace dnn::test {

using Texts = std::vector<std::string>;

/// The data of a source, written as in --data.
inline Dataset read_h5(const std::string& source, Part part = Part::train,
                       const ReadOptions& options = {}) {
  return DataSource(source).read(part, options);
}

/// The class name of each sample.
inline Texts labels_of(const Dataset& data) {
  Texts names;
  for (const std::int32_t label : data.label_view()) {
    names.push_back(data.class_names[static_cast<std::size_t>(label)]);
  }
  return names;
}

/// Reading a source is an InputError with these parts.
inline void refuses_hdf5(const std::string& source, std::initializer_list<const char*> parts,
                         const ReadOptions& options = {}) {
  expect_error<InputError>([&] { (void)read_h5(source, Part::train, options); }, parts);
}

/// Numbers from `first` on.
template <class T>
std::vector<T> numbers_from(T first, std::size_t count) {
  std::vector<T> values(count);
  std::iota(values.begin(), values.end(), first);
  return values;
}

}  // namespace dnn::test
