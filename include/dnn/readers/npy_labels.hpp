#pragma once

#include <cstddef>

#include "dnn/data/dataset.hpp"
#include "dnn/data/label_table.hpp"
#include "dnn/readers/npy_array.hpp"

namespace dnn {

/// Adds element `index` of an array as a label: an integer, or text. Throws InputError for other
/// numbers.
void add_label(const NpyArray& array, std::size_t index, LabelTable& labels);

/// Sets the targets of `data`, whose task has rows of them, from an array with a row a sample.
/// Throws InputError for another array, and as set_targets does.
void set_target_array(const NpyArray& array, Dataset& data);

/// The same from a column of an array of samples x row_elements.
void set_target_column(const NpyArray& array, std::size_t column, Dataset& data);

/// Sets the labels of `data` from an array of a label a sample: integers or text in one dimension
/// (further dimensions of extent 1 do not count), or one-hot vectors, samples x classes, of which
/// column c is the class named c. Throws InputError for anything else.
void set_labels(const NpyArray& array, Dataset& data);

}  // namespace dnn
