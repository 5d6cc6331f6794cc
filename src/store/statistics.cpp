#include "dnn/store/statistics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <optional>
#include <vector>

#include "dnn/comm/collective_error.hpp"
#include "dnn/core/available_memory.hpp"

namespace dnn {

namespace {

constexpr std::size_t block_samples = 4096;

using Wanted = std::function<bool(std::uint64_t)>;

/// The sums of a chunk of samples: of those wanted, and of the others, which must be finite, too.
/// They are added block by block, so that where a node's samples end inside of a chunk, the node
/// that has the next ones continues the sums of the node before.
class ChunkSums {
 public:
  ChunkSums(std::size_t features, const Wanted& wanted)
      : chosen_(features), others_(features), wanted_(wanted) {}

  /// Adds all samples of a block.
  void add(const Dataset& data, Range block) {
    inside_.clear();
    outside_.clear();
    for (std::size_t i = block.begin; i < block.end; ++i) {
      (wanted_(i) ? inside_ : outside_).push_back(i);
    }
    chosen_.add(data, inside_);
    others_.add(data, outside_);
  }

  [[nodiscard]] std::span<double> numbers() { return chosen_.flat(); }

 private:
  FeatureStatistics chosen_, others_;
  const Wanted& wanted_;
  std::vector<std::uint64_t> inside_, outside_;
};

std::vector<Range> blocks_of(Range chunk) {
  std::vector<Range> blocks;
  for (std::size_t first = chunk.begin; first < chunk.end; first += block_samples) {
    blocks.push_back({first, std::min(first + block_samples, chunk.end)});
  }
  return blocks;
}

/// The chunks of a data set, and the sums of those that this rank computes.
class Chunks {
 public:
  Chunks(const Dataset& data, std::size_t count, std::vector<double>& all, const Wanted& wanted)
      : data_(data), count_(count), all_(all), wanted_(wanted) {}

  [[nodiscard]] Range operator[](std::size_t c) const { return part_of(data_.samples, count_, c); }
  [[nodiscard]] std::size_t count() const { return count_; }

  /// A chunk whose samples are all here.
  void add_whole(std::size_t c) {
    ChunkSums sums(data_.features, wanted_);
    for (const Range block : blocks_of((*this)[c])) {
      sums.add(data_, block);
    }
    put(c, sums);
  }

  void put(std::size_t c, ChunkSums& sums) {
    const auto numbers = sums.numbers();
    std::copy(numbers.begin(), numbers.end(),
              all_.begin() + static_cast<std::ptrdiff_t>(c * numbers.size()));
  }

  /// The block that sample `sample` is in.
  [[nodiscard]] Range block_at(std::size_t sample) const {
    std::size_t c = 0;
    while ((*this)[c].end <= sample) {
      ++c;
    }
    const Range chunk = (*this)[c];
    const std::size_t begin = chunk.begin + (sample - chunk.begin) / block_samples * block_samples;
    return {begin, std::min(begin + block_samples, chunk.end)};
  }

 private:
  const Dataset& data_;
  std::size_t count_;
  std::vector<double>& all_;
  const Wanted& wanted_;
};

/// Computes chunks of which nodes hold parts. A block of samples is added by the node that holds
/// its first one.
class SharedOutChunks {
 public:
  SharedOutChunks(const Dataset& data, const HeldRows& held, Chunks& chunks, const Wanted& wanted)
      : data_(data), held_(held), chunks_(chunks), wanted_(wanted), own_(held.of(held.node())) {}

  /// Collective over the node and the leaders.
  void run() {
    const Node& node = held_.grid().node();
    std::vector<std::size_t> cut;  // some of whose samples are here
    std::size_t whole = 0;
    for (std::size_t c = 0; c < chunks_.count(); ++c) {
      const Range chunk = chunks_[c];
      if (chunk.begin >= own_.begin && chunk.end <= own_.end) {
        if (whole++ % static_cast<std::size_t>(node.size()) ==
            static_cast<std::size_t>(node.rank())) {
          guarded([&] { chunks_.add_whole(c); });
        }
      } else if (chunk.begin < own_.end && chunk.end > own_.begin) {
        cut.push_back(c);
      }
    }
    if (node.is_leader()) {
      fetch_last_block();
      for (const std::size_t c : cut) {
        add_part(c);
      }
    }
  }

  /// What was wrong with the samples of this rank's blocks.
  void throw_error() const {
    if (error_) {
      std::rethrow_exception(error_);
    }
  }

 private:
  /// Other nodes wait for what this one sends, so an error waits until that is done.
  template <class Work>
  void guarded(Work&& work) {
    try {
      work();
    } catch (...) {
      error_ = error_ ? error_ : std::current_exception();
    }
  }

  /// The block that begins on a node and ends on others, if there is one.
  [[nodiscard]] Range last_block(std::size_t node) const {
    const Range of_node = held_.of(node);
    if (of_node.empty()) {
      return {};
    }
    const Range block = chunks_.block_at(of_node.end - 1);
    return block.begin >= of_node.begin && block.end > of_node.end ? block : Range{};
  }

  /// Collective over the leaders.
  void fetch_last_block() {
    std::vector<Range> wanted;
    for (std::size_t n = 0; n < held_.nodes(); ++n) {
      wanted.push_back(last_block(n));
    }
    last_ = held_.fetch(data_, wanted);
  }

  /// The blocks of a chunk that begin here, after those that begin before.
  void add_part(std::size_t c) {
    const std::vector<Range> blocks = blocks_of(chunks_[c]);
    ChunkSums sums(data_.features, wanted_);
    const std::span<double> numbers = sums.numbers();
    std::vector<Request> requests;
    for (std::size_t b = 0; b < blocks.size(); ++b) {
      const std::size_t owner = held_.owner(blocks[b].begin);
      if (owner != held_.node()) {
        continue;
      }
      const std::size_t before = b > 0 ? held_.owner(blocks[b - 1].begin) : owner;
      if (before != owner) {
        held_.leaders().begin_receive(std::as_writable_bytes(numbers), static_cast<int>(before),
                                      requests);
        wait_for(requests);
      }
      guarded([&] { sums.add(blocks[b].end <= own_.end ? data_ : last_, blocks[b]); });
      if (b + 1 == blocks.size()) {
        chunks_.put(c, sums);
      } else if (const std::size_t next = held_.owner(blocks[b + 1].begin); next != owner) {
        held_.leaders().begin_send(std::as_bytes(numbers), static_cast<int>(next), requests);
        wait_for(requests);
      }
    }
  }

  const Dataset& data_;
  const HeldRows& held_;
  Chunks& chunks_;
  const Wanted& wanted_;
  Range own_;
  Dataset last_;  ///< with the samples of the last block
  std::exception_ptr error_;
};

}  // namespace

FeatureStatistics statistics(const Communicator& world, const Dataset& data, const HeldRows* held,
                             const Wanted& wanted) {
  const std::size_t count = FeatureStatistics::chunk_count(data.samples, data.features);
  const std::size_t numbers = FeatureStatistics::flat_size(data.features);
  std::vector<double> all = agree(world, [&] {
    require_memory(count * numbers * sizeof(double),
                   fmt::format("{}: the statistics of {} features (is an index wrong?)",
                               data.origin, data.features));
    return std::vector<double>(count * numbers, 0.0);
  });
  Chunks chunks(data, count, all, wanted);
  if (held != nullptr) {
    SharedOutChunks of_nodes(data, *held, chunks, wanted);
    of_nodes.run();
    agree(world, [&] { of_nodes.throw_error(); });
  } else {
    agree(world, [&] {
      const Range mine = part_of(count, static_cast<std::size_t>(world.size()),
                                 static_cast<std::size_t>(world.rank()));
      for (std::size_t c = mine.begin; c < mine.end; ++c) {
        chunks.add_whole(c);
      }
    });
  }
  // Every number comes from one rank and meets zeros from the others: the sum is exact. One rank
  // alone adds a zero as well, by which -0 becomes 0.
  world.all_reduce(std::span(all), Reduction::sum);
  std::transform(all.begin(), all.end(), all.begin(), [](double number) { return number + 0.0; });
  FeatureStatistics total(data.features);
  FeatureStatistics chunk(data.features);
  for (std::size_t c = 0; c < count; ++c) {
    std::copy_n(all.begin() + static_cast<std::ptrdiff_t>(c * numbers), numbers,
                chunk.flat().begin());
    total.merge(chunk);
  }
  return total;
}

}  // namespace dnn
