#include "dnn/store/data_digest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <initializer_list>
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
};

/// The digests of all pieces of some arrays, one after another; zeros for those of other ranks.
class PieceDigests {
 public:
  PieceDigests(std::initializer_list<const Bytes*> arrays, Share share) {
    std::vector<std::span<const std::byte>> pieces;
    for (const Bytes* array : arrays) {
      const std::span<const std::byte> bytes = array->view;
      sizes_ += std::to_string(bytes.size()) + " ";
      for (std::size_t begin = 0; begin < bytes.size(); begin += piece) {
        pieces.push_back(bytes.subspan(begin, std::min(piece, bytes.size() - begin)));
      }
    }
    constexpr std::size_t words = sizeof(Sha256::Digest) / sizeof(std::uint64_t);
    words_.resize(words * pieces.size());
    parallel_tasks(pieces.size(), [&](std::size_t i, std::size_t) {
      if (i % share.step == share.first) {
        const Sha256::Digest digest = sha256(pieces[i]);
        std::memcpy(&words_[words * i], digest.data(), sizeof(digest));
      }
    });
  }

  [[nodiscard]] std::span<std::uint64_t> words() { return words_; }

  /// Once all pieces are there.
  [[nodiscard]] std::string finish() const {
    Sha256 hash;
    hash.update(std::as_bytes(std::span(sizes_)));
    hash.update(std::as_bytes(std::span(words_)));
    return to_hex(hash.finish());
  }

 private:
  std::string sizes_;
  std::vector<std::uint64_t> words_;
};

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
DataDigest compute(const Dataset& data, Share share, Combine&& combine) {
  PieceDigests labels({&data.labels, &data.target_rows, &data.weights}, share);
  PieceDigests features({&data.row_offsets, &data.value_columns, &data.values}, share);
  combine(labels.words());
  combine(features.words());
  return {description_digest(data), labels.finish(), features.finish()};
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

DataDigest digest_of(const Communicator& ranks, const Dataset& data) {
  const Share share{static_cast<std::size_t>(ranks.rank()), static_cast<std::size_t>(ranks.size())};
  return compute(data, share, [&ranks](std::span<std::uint64_t> words) {
    ranks.all_reduce(words, Reduction::bit_or);
  });
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
