#include "dnn/store/data_digest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <nlohmann/json.hpp>
#include <span>
#include <vector>

#include "dnn/comm/collective_error.hpp"
#include "dnn/core/error.hpp"
#include "dnn/core/sha256.hpp"
#include "dnn/core/threads.hpp"
#include "dnn/data/table_schema_json.hpp"

namespace dnn {

namespace {

using nlohmann::json;

constexpr std::size_t piece = std::size_t{4} << 20;

/// Which of the pieces a rank computes.
struct Share {
  std::size_t first = 0;
  std::size_t step = 1;

  [[nodiscard]] bool has(std::size_t number) const { return number % step == first; }
};

/// The bytes of a piece; none: another rank has it.
using PieceBytes = std::function<std::span<const std::byte>(std::size_t number, Range bytes)>;

/// The pieces of some arrays, one after another, and their digests.
class PieceDigests {
 public:
  /// An array of `size` bytes.
  void add(std::size_t size, const PieceBytes& bytes_of) {
    sizes_ += std::to_string(size) + " ";
    for (std::size_t begin = 0, number = 0; begin < size; begin += piece, ++number) {
      pieces_.push_back(bytes_of(number, {begin, std::min(begin + piece, size)}));
    }
  }
  /// An array that this rank has all of.
  void add(const Bytes& array, Share share) {
    add(array.size(), [&](std::size_t number, Range bytes) {
      return share.has(number) ? array.view.subspan(bytes.begin, bytes.size())
                               : std::span<const std::byte>();
    });
  }

  /// The digests of all pieces; zeros for those of other ranks.
  [[nodiscard]] std::span<std::uint64_t> words() {
    constexpr std::size_t of_piece = sizeof(Sha256::Digest) / sizeof(std::uint64_t);
    words_.assign(of_piece * pieces_.size(), 0);
    parallel_tasks(pieces_.size(), [&](std::size_t i, std::size_t) {
      if (!pieces_[i].empty()) {
        const Sha256::Digest digest = sha256(pieces_[i]);
        std::memcpy(&words_[of_piece * i], digest.data(), sizeof(digest));
      }
    });
    return words_;
  }

  /// Once the words of all ranks are there.
  [[nodiscard]] std::string finish() const {
    Sha256 hash;
    hash.update(std::as_bytes(std::span(sizes_)));
    hash.update(std::as_bytes(std::span(words_)));
    return to_hex(hash.finish());
  }

 private:
  std::string sizes_;
  std::vector<std::span<const std::byte>> pieces_;
  std::vector<std::uint64_t> words_;
};

/// An array of rows that nodes share out. The node that holds a piece's first byte computes it; the
/// rest of its last piece comes from others.
class HeldArray {
 public:
  HeldArray(const HeldRows& held, const Dataset& data, const Bytes Dataset::*array,
            std::size_t unit)
      : held_(held),
        units_(data),
        array_(array),
        own_(data.*array),
        samples_(data.samples),
        unit_(unit),
        size_(units_.before(data.samples) * unit) {}

  /// The samples whose bytes a node needs for the rest of its last piece.
  [[nodiscard]] Range last_rows(std::size_t node) const { return rows_of(last_piece(node)); }
  /// On leaders: `rows` holds those of this node, and is used until the last call.
  void use_last_rows(const Dataset& rows) {
    last_ = rows.*array_;
    last_begin_ = units_.before(rows.held->begin) * unit_;
  }

  [[nodiscard]] std::size_t size() const { return size_; }

  [[nodiscard]] std::span<const std::byte> bytes_of(std::size_t number, Range bytes) const {
    const Node& node = held_.grid().node();
    const Range mine = bytes_of_node(held_.node());
    if (bytes.begin < mine.begin || bytes.begin >= mine.end) {
      return {};
    }
    if (bytes.end > mine.end) {
      return node.is_leader() ? last_.view.subspan(bytes.begin - last_begin_, bytes.size())
                              : std::span<const std::byte>();
    }
    const Share share{static_cast<std::size_t>(node.rank()), static_cast<std::size_t>(node.size())};
    return share.has(number) ? own_.view.subspan(bytes.begin - mine.begin, bytes.size())
                             : std::span<const std::byte>();
  }

 private:
  [[nodiscard]] Range bytes_of_node(std::size_t node) const {
    const Range samples = held_.of(node);
    return {units_.before(samples.begin) * unit_, units_.before(samples.end) * unit_};
  }
  /// The piece that begins on a node and ends on others, if there is one.
  [[nodiscard]] Range last_piece(std::size_t node) const {
    const Range bytes = bytes_of_node(node);
    if (bytes.empty()) {
      return {};
    }
    const std::size_t begin = (bytes.end - 1) / piece * piece;
    const std::size_t end = std::min(begin + piece, size_);
    return begin >= bytes.begin && end > bytes.end ? Range{begin, end} : Range{};
  }
  /// The samples that have these bytes.
  [[nodiscard]] Range rows_of(Range bytes) const {
    if (bytes.empty()) {
      return {};
    }
    const auto first_behind = [&](std::size_t byte) {  // the first sample that begins behind it
      std::size_t low = 0;
      std::size_t high = samples_;
      while (low < high) {
        const std::size_t middle = low + (high - low) / 2;
        (units_.before(middle) * unit_ > byte ? high : low) =
            units_.before(middle) * unit_ > byte ? middle : middle + 1;
      }
      return low;
    };
    return {first_behind(bytes.begin) - 1, first_behind(bytes.end - 1)};
  }

  const HeldRows& held_;
  RowUnits units_;
  const Bytes Dataset::*array_;
  const Bytes& own_;
  std::size_t samples_;
  std::size_t unit_;
  std::size_t size_;
  Bytes last_;
  std::size_t last_begin_ = 0;
};

/// Collective over the leaders: brings the rows of the last pieces, once for both arrays.
void fetch_last_rows(const HeldRows& held, const Dataset& data, HeldArray& columns,
                     HeldArray& values) {
  if (!held.grid().node().is_leader()) {
    return;
  }
  std::vector<Range> wanted;
  for (std::size_t n = 0; n < held.nodes(); ++n) {
    const Range a = columns.last_rows(n);
    const Range b = values.last_rows(n);
    wanted.push_back(a.empty()   ? b
                     : b.empty() ? a
                                 : Range{std::min(a.begin, b.begin), std::max(a.end, b.end)});
  }
  const Dataset rows = held.fetch(data, wanted);
  columns.use_last_rows(rows);
  values.use_last_rows(rows);
}

std::string description_digest(const Dataset& data) {
  const auto packed = json::to_msgpack({{"samples", data.samples},
                                        {"features", data.features},
                                        {"element", static_cast<int>(data.element)},
                                        {"row_elements", data.row_elements},
                                        {"omitted_column", data.omitted_column},
                                        {"task", static_cast<int>(data.task)},
                                        {"class_names", data.class_names},
                                        {"feature_names", data.feature_names},
                                        {"schema", to_json(data.schema)}});
  return to_hex(sha256(std::as_bytes(std::span(packed))));
}

/// `combine` makes the words of all ranks one.
template <class Combine>
std::string label_digest(const Dataset& data, Share share, Combine&& combine) {
  PieceDigests labels;
  for (const Bytes* array : {&data.labels, &data.target_rows, &data.weights}) {
    labels.add(*array, share);
  }
  combine(labels.words());
  return labels.finish();
}

template <class Combine>
DataDigest compute(const Dataset& data, Share share, Combine&& combine) {
  PieceDigests features;
  for (const Bytes* array : {&data.row_offsets, &data.value_columns, &data.values}) {
    features.add(*array, share);
  }
  combine(features.words());
  return {description_digest(data), label_digest(data, share, combine), features.finish()};
}

Share share_of(const Communicator& ranks) {
  return {static_cast<std::size_t>(ranks.rank()), static_cast<std::size_t>(ranks.size())};
}

/// What differs between two hosts' data.
std::string difference(const DataDigest& a, const DataDigest& b) {
  if (a.description != b.description) {
    return "shapes, classes or columns";
  }
  return a.labels != b.labels ? "labels" : "features";
}

/// What a host has.
struct HostDigest {
  std::string host;
  DataDigest digest;
};

/// Throws InputError unless all hosts have the same.
void compare(const std::vector<HostDigest>& hosts, const std::string& origin) {
  const auto as = [](const HostDigest& one) {
    return [&one](const HostDigest& other) { return other.digest == one.digest; };
  };
  const HostDigest& first = hosts.front();
  const auto other = std::find_if_not(hosts.begin(), hosts.end(), as(first));
  if (other == hosts.end()) {
    return;
  }
  throw InputError(fmt::format(
      "{}: hosts {} and {} have different {} under this name ({} of {} copies are as on {}, {} as "
      "on {}); copy the same files to all hosts, or name a folder that all of them see",
      origin, first.host, other->host, difference(first.digest, other->digest),
      std::count_if(hosts.begin(), hosts.end(), as(first)), hosts.size(), first.host,
      std::count_if(hosts.begin(), hosts.end(), as(*other)), other->host));
}

}  // namespace

DataDigest digest_of(const Dataset& data) {
  return compute(data, {}, [](std::span<std::uint64_t>) {});
}

DataDigest digest_without_features(const Dataset& data) {
  return {description_digest(data), label_digest(data, {}, [](std::span<std::uint64_t>) {}), {}};
}

DataDigest digest_of(const Communicator& ranks, const Dataset& data) {
  return compute(data, share_of(ranks), [&ranks](std::span<std::uint64_t> words) {
    ranks.all_reduce(words, Reduction::bit_or);
  });
}

DataDigest digest_of(const HeldRows& held, const Dataset& data) {
  const Communicator& world = held.grid().world();
  const auto combine = [&world](std::span<std::uint64_t> words) {
    world.all_reduce(words, Reduction::bit_or);
  };
  const std::string labels = label_digest(data, share_of(world), combine);
  const RowUnits units(data);
  HeldArray columns(held, data, &Dataset::value_columns, units.column_bytes());
  HeldArray values(held, data, &Dataset::values, units.value_bytes());
  fetch_last_rows(held, data, columns, values);
  PieceDigests features;
  features.add(data.row_offsets, share_of(world));
  for (const HeldArray* array : {&columns, &values}) {
    features.add(array->size(), [array](std::size_t number, Range bytes) {
      return array->bytes_of(number, bytes);
    });
  }
  combine(features.words());
  return {description_digest(data), labels, features.finish()};
}

void check_same_everywhere(const Communicator& world, const Communicator& node,
                           const DataDigest& digest, const std::string& origin) {
  const std::string own =
      node.is_root() ? json({host_name(), digest.description, digest.labels, digest.features})
                           .dump(-1, ' ', false, json::error_handler_t::replace)
                     : std::string();
  const std::vector<std::string> all = world.gather(own, 0);
  agree(world, [&] {
    std::vector<HostDigest> hosts;
    for (const std::string& text : all) {
      if (!text.empty()) {
        const json one = json::parse(text);
        hosts.push_back({one[0], {one[1], one[2], one[3]}});
      }
    }
    if (!hosts.empty()) {
      compare(hosts, origin);
    }
  });
}

}  // namespace dnn
