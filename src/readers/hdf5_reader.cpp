#include "dnn/readers/hdf5_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <type_traits>
#include <utility>

#include "dnn/core/available_memory.hpp"
#include "dnn/core/copy_bytes.hpp"
#include "dnn/core/error.hpp"
#include "dnn/core/partition.hpp"
#include "dnn/files/contents.hpp"
#include "dnn/readers/npy_reader.hpp"

namespace dnn {

namespace {

/// About how much is read at once.
constexpr std::size_t slab_bytes = std::size_t{16} << 20;

const ArrayWords hdf5_words = {"dataset", "file", "file.h5:/x,/y"};

Bytes contents_of_input(const Hdf5Input& file) {
  return file.contents.size() > 0 ? file.contents : open_contents(file.path);
}

/// The rows of whole chunks, of about slab_bytes.
std::size_t slab_rows(const Hdf5Layout& layout) {
  const std::size_t row_bytes = layout.row_elements() * layout.element_bytes();
  const std::size_t wanted =
      std::max<std::size_t>(slab_bytes / std::max<std::size_t>(row_bytes, 1), 1);
  const std::size_t chunks = (wanted - 1) / layout.chunk_rows + 1;
  return layout.chunk_rows > layout.rows() / chunks ? layout.rows() : chunks * layout.chunk_rows;
}

/// The memory that reading takes beside the elements: a chunk is held packed and unpacked, and a
/// slab of strings before they are copied. Numbers are read to where they stay.
std::size_t working_bytes_of(const Hdf5Layout& layout) {
  const std::size_t slab =
      layout.is_text ? slab_rows(layout) * layout.row_elements() * layout.element_bytes() : 0;
  return 2 * layout.chunk_bytes + slab;
}

/// Calls `visit` with ranges of rows, one after another, of a slab each.
template <class Visitor>
void for_each_slab(const Hdf5Layout& layout, Visitor&& visit) {
  const std::size_t rows = slab_rows(layout);
  for (std::size_t begin = 0; begin < layout.rows(); begin += rows) {
    visit(Range{begin, std::min(layout.rows(), begin + rows)});
  }
}

/// Whether the type To holds all numbers of the type From.
template <class To, class From>
constexpr bool holds_all() {
  using ToLimits = std::numeric_limits<To>;
  using FromLimits = std::numeric_limits<From>;
  if constexpr (std::is_floating_point_v<To>) {
    return ToLimits::digits >= FromLimits::digits;
  } else if constexpr (std::is_floating_point_v<From>) {
    return false;
  } else {
    return std::cmp_less_equal(ToLimits::min(), FromLimits::min()) &&
           std::cmp_greater_equal(ToLimits::max(), FromLimits::max());
  }
}

bool holds_all(ElementType to, ElementType from) {
  return visit_element(to, [from](auto wide) {
    return visit_element(from,
                         [](auto narrow) { return holds_all<decltype(wide), decltype(narrow)>(); });
  });
}

/// "28 x 28 numbers", of a row.
std::string row_text(const Hdf5Layout& layout) {
  const char* const element = layout.is_text ? "string" : "number";
  return layout.shape.size() == 1
             ? fmt::format("a single {}", element)
             : fmt::format("{} {}s", fmt::join(layout.shape.begin() + 1, layout.shape.end(), " x "),
                           element);
}

/// Throws InputError unless the rows of two files can follow each other.
void check_alike(const Hdf5Layout& first, const std::string& first_origin, const Hdf5Layout& other,
                 const std::string& origin) {
  if (first.is_text != other.is_text || !std::equal(first.shape.begin() + 1, first.shape.end(),
                                                    other.shape.begin() + 1, other.shape.end())) {
    throw InputError(fmt::format(
        "{}: its rows are {}, but those of {} are {}; name files whose rows are alike, or save "
        "this dataset anew as the others are",
        origin, row_text(other), first_origin, row_text(first)));
  }
}

}  // namespace

ElementType common_type(ElementType a, ElementType b) {
  for (const ElementType type :
       {ElementType::u8, ElementType::i8, ElementType::u16, ElementType::i16, ElementType::u32,
        ElementType::i32, ElementType::f32, ElementType::u64, ElementType::i64}) {
    if (holds_all(type, a) && holds_all(type, b)) {
      return type;
    }
  }
  return ElementType::f64;
}

Hdf5Data::Hdf5Data(std::vector<Hdf5Input> files, std::string selection)
    : files_(std::move(files)),
      selection_(std::move(selection)),
      names_(open(files_.front())->datasets(), files_.front().path, hdf5_words) {
  if (names_.all().empty()) {
    throw InputError(files_.front().path + ": the HDF5 file holds no datasets");
  }
}

std::unique_ptr<Hdf5File> Hdf5Data::open(const Hdf5Input& file) const {
  const Bytes contents = contents_of_input(file);
  if (!looks_like_hdf5(contents.view)) {
    throw InputError(file.path + ": not an HDF5 file (no HDF5 signature)");
  }
  return open_hdf5(contents, file.path);
}

std::unique_ptr<Hdf5Dataset> Hdf5Data::open(const Hdf5Input& file, const std::string& name) const {
  const std::unique_ptr<Hdf5File> opened_file = open(file);
  std::unique_ptr<Hdf5Dataset> dataset = opened_file->open(name);
  if (!dataset) {
    ArrayNames(opened_file->datasets(), file.path, hdf5_words).refuse(name);
  }
  return dataset;
}

bool Hdf5Data::has_test_part(bool labelled) const {
  return selection_.empty() && names_.has_test_part(labelled);
}

std::string Hdf5Data::origin_of(const std::string& name) const {
  return hdf5_place(files_.front().path, name);
}

/// The rows of all files, and `layout` as one that holds them; nothing is read.
Hdf5Data::Joined Hdf5Data::joined_layout(const std::string& name, Hdf5Layout& layout) const {
  Joined joined{.array = {.origin = origin_of(name)}, .rows = {}, .working_bytes = 0};
  for (const Hdf5Input& file : files_) {
    const Hdf5Layout other = open(file, name)->layout();
    joined.rows.push_back(other.rows());
    joined.working_bytes = std::max(joined.working_bytes, working_bytes_of(other));
    if (joined.rows.size() == 1) {
      layout = other;
      continue;
    }
    check_alike(layout, joined.array.origin, other, hdf5_place(file.path, name));
    layout.type = common_type(layout.type, other.type);
    layout.text_bytes = std::max(layout.text_bytes, other.text_bytes);
    if (__builtin_add_overflow(layout.shape.front(), other.rows(), &layout.shape.front())) {
      throw InputError(joined.array.origin + ": corrupt shape (the rows of the files overflow)");
    }
  }
  constexpr std::size_t copies = 4;  // sums of what they take do not overflow either
  std::size_t bytes = copies * layout.element_bytes();
  for (const std::size_t extent : layout.shape) {
    if (__builtin_mul_overflow(bytes, std::max<std::size_t>(extent, 1), &bytes)) {
      throw InputError(joined.array.origin + ": corrupt shape (its extents overflow)");
    }
  }
  joined.array.shape = layout.shape;
  joined.array.type = layout.type;
  return joined;
}

Hdf5Data::Joined Hdf5Data::joined(const std::string& name, const Wanted& wanted) const {
  Hdf5Layout layout;
  Joined joined = joined_layout(name, layout);
  joined.own = part_in_grains(layout.rows(), std::max<std::size_t>(layout.chunk_rows, 1),
                              wanted.team.size(), wanted.team.index());
  if (wanted.is_features && layout.is_text) {
    throw InputError(joined.array.origin + ": the elements are text, but features must be numbers");
  }
  if (layout.is_text) {
    read_texts(name, joined);
  } else if (files_.size() == 1 && layout.mapped_offset && joined.array.count() > 0) {
    joined.array.elements = map_file(files_.front().path, *layout.mapped_offset,
                                     joined.array.count() * element_size(layout.type));
    joined.is_mapped = true;
  } else {
    read_numbers(name, wanted.memory, joined);
  }
  return joined;
}

void Hdf5Data::read_numbers(const std::string& name, const ScratchMemory& memory,
                            Joined& joined) const {
  NpyArray& array = joined.array;
  const std::size_t row_bytes =
      array.count() / std::max<std::size_t>(array.shape.front(), 1) * element_size(array.type);
  const std::size_t bytes = joined.own.size() * row_bytes;
  if (!memory.is_on_disk()) {
    require_memory(bytes + joined.working_bytes, array.origin + ": a copy of its elements");
  }
  ScratchVector<std::byte> elements(bytes, ScratchAllocator<std::byte>(memory));
  std::size_t first = 0;  // of the file's rows
  for (const Hdf5Input& file : files_) {
    const std::unique_ptr<Hdf5Dataset> dataset = open(file, name);
    for_each_slab(dataset->layout(), [&](Range slab) {
      const std::size_t begin = std::max(first + slab.begin, joined.own.begin);
      const std::size_t end = std::min(first + slab.end, joined.own.end);
      if (begin < end) {
        dataset->read_numbers({begin - first, end - first}, array.type,
                              std::span(elements).subspan((begin - joined.own.begin) * row_bytes,
                                                          (end - begin) * row_bytes));
      }
    });
    first += dataset->layout().rows();
  }
  array.elements = Bytes::from(std::move(elements));
}

void Hdf5Data::read_texts(const std::string& name, Joined& joined) const {
  NpyArray& array = joined.array;
  require_memory(array.count() * sizeof(std::string) + joined.working_bytes,
                 array.origin + ": a copy of its strings");
  std::vector<std::string> texts;
  for (const Hdf5Input& file : files_) {
    const std::unique_ptr<Hdf5Dataset> dataset = open(file, name);
    for_each_slab(dataset->layout(), [&](Range rows) { dataset->append_texts(rows, texts); });
  }
  array.text = NpyArray::Text::bytes;
  array.text_bytes = 1;
  for (const std::string& text : texts) {
    array.text_bytes = std::max(array.text_bytes, text.size());
  }
  std::size_t bytes = 0;
  if (__builtin_mul_overflow(texts.size(), array.text_bytes, &bytes)) {
    throw InputError(array.origin + ": its strings are too long");
  }
  require_memory(bytes, array.origin + ": a copy of its strings");
  std::vector<char> all(bytes, '\0');
  for (std::size_t i = 0; i < texts.size(); ++i) {
    copy_bytes(all.data() + i * array.text_bytes, texts[i].data(), texts[i].size());
  }
  array.elements = Bytes::from(std::move(all));
}

Dataset Hdf5Data::read(Part part, const ReadOptions& options) const {
  const ArrayPair names = names_.to_read(selection_, part, options.features.has_value());
  const bool has_labels = !names.labels.empty();
  const Joined features = joined(names.features, {.is_features = true,
                                                  .team = has_labels ? options.team : ReadingTeam(),
                                                  .memory = options.memory});
  std::optional<Joined> labels;
  if (has_labels) {
    labels = joined(names.labels, {});
    for (std::size_t i = 0; files_.size() > 1 && i < files_.size(); ++i) {
      if (features.rows[i] != labels->rows[i]) {
        throw InputError(fmt::format("{}: {} has {} rows, but {} has {}", files_[i].path,
                                     shown_hdf5_path(names.features), features.rows[i],
                                     shown_hdf5_path(names.labels), labels->rows[i]));
      }
    }
  }
  Dataset data = dataset_of_arrays(features.array,
                                   labels ? std::optional(labels->array) : std::nullopt, options);
  if (has_labels && !options.team.is_alone() && !features.is_mapped) {
    data.held = features.own;
  }
  if (files_.size() > 1) {
    data.notes.push_back(
        fmt::format("{} files, {} to {}", files_.size(), files_.front().path, files_.back().path));
  }
  if (selection_.empty()) {
    data.notes.push_back(
        fmt::format("{}: the features are {}{} (as in {}, other datasets may be named)",
                    files_.front().path, shown_hdf5_path(names.features),
                    labels ? ", the labels " + shown_hdf5_path(names.labels) : std::string(),
                    hdf5_words.example));
  }
  return data;
}

}  // namespace dnn
