#include "dnn/store/row_windows.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace dnn {

struct RowWindows::Traffic {
  /// A row that is copied.
  struct Piece {
    std::uint64_t sample;
    std::uint64_t place;  ///< in the buffer that they leave from, or, of this node's own, arrive in
  };
  std::vector<Piece> own;           ///< rows that this node needs and holds
  std::vector<Piece> leaving;       ///< those that others need
  std::vector<std::uint64_t> from;  ///< of each node: units that come from it
  std::vector<std::uint64_t> to;    ///< of each node: units that go to it
  std::uint64_t arriving_units = 0;
  std::uint64_t leaving_units = 0;
};

RowWindows::RowWindows(const Dataset& data, const HeldRows& held, Settings settings)
    : data_(data),
      held_(held),
      settings_(std::move(settings)),
      units_(data),
      needed_by_(held.grid().data_shards()) {
  for (std::size_t shard = 0; shard < needed_by_.size(); ++shard) {
    for (std::size_t n = 0; n < held.nodes(); ++n) {
      const auto& of_node = held.shards_of(n);
      if (settings_.whole_batches || std::binary_search(of_node.begin(), of_node.end(), shard)) {
        needed_by_[shard].push_back(n);
        if (n == held.node()) {
          own_shards_.push_back(shard);
        }
      }
    }
  }
}

/// The end of the window that begins with batch `begin`.
std::size_t RowWindows::end_of_window(std::size_t begin) const {
  const std::size_t bytes = settings_.bytes * held_.nodes();
  if (!settings_.finder) {
    std::size_t end = begin;
    std::uint64_t units = 0;
    do {
      units += step_units_[end++];
    } while (end < settings_.steps && units * units_.bytes() < bytes);
    return end;
  }
  std::size_t copies = 0;
  for (const std::vector<std::size_t>& nodes : needed_by_) {
    copies += nodes.size();
  }
  const auto ratio = [](std::size_t a, std::size_t b) {
    return static_cast<double>(a) / static_cast<double>(std::max<std::size_t>(b, 1));
  };
  const double row = ratio(units_.before(data_.samples) * units_.bytes(), data_.samples);
  const double batch =
      row * ratio(settings_.samples, settings_.steps) * ratio(copies, needed_by_.size());
  const double steps = std::ceil(static_cast<double>(bytes) / batch);
  const std::size_t left = settings_.steps - begin;
  return begin + (steps < static_cast<double>(left)
                      ? std::max<std::size_t>(static_cast<std::size_t>(steps), 1)
                      : left);
}

/// Whether another node needs the rows of a shard.
bool RowWindows::leaves(std::size_t shard) const {
  const std::vector<std::size_t>& nodes = needed_by_[shard];
  return nodes.size() > 1 || (nodes.size() == 1 && nodes.front() != held_.node());
}

/// Collective over the node, as plan is: makes the index of a pass. Batch i begins at position
/// i * Settings::batch.
void RowWindows::find_leaving(std::size_t pass) {
  if (leaving_index_ && indexed_pass_ == pass) {
    return;
  }
  if (!leaving_index_) {
    leaving_index_.emplace(held_);
  }
  leaving_index_->enter(settings_.finder ? find_by_sample(pass) : find_by_batch(pass));
  indexed_pass_ = pass;
}

/// Asks for each of this rank's samples of the index where it is. Returns how many of them leave.
std::size_t RowWindows::find_by_sample(std::size_t pass) {
  const Finder find = settings_.finder(pass);
  const Range samples = leaving_index_->own_samples();
  const auto entries = leaving_index_->own_entries();
  std::size_t count = 0;
  for (std::uint64_t sample = samples.begin; sample < samples.end; ++sample) {
    const std::optional<Sampler::Place> place = find(sample);
    if (place && leaves(place->rank)) {
      entries[count++] = {place->position, sample, place->rank};
    }
  }
  return count;
}

/// The same: asks for all batches which samples they have. Notes how large the batches are.
std::size_t RowWindows::find_by_batch(std::size_t pass) {
  const Range samples = leaving_index_->own_samples();
  const auto entries = leaving_index_->own_entries();
  step_units_.assign(settings_.steps, 0);
  std::size_t count = 0;
  std::vector<std::uint64_t> planned;
  for (std::size_t step = 0; step < settings_.steps; ++step) {
    std::uint64_t position = step * settings_.batch;
    for (std::size_t shard = 0; shard < needed_by_.size(); ++shard) {
      planned.clear();
      settings_.plan(pass, step, shard, planned);
      for (const std::uint64_t sample : planned) {
        step_units_[step] += units_.of(sample) * needed_by_[shard].size();
        if (sample >= samples.begin && sample < samples.end && leaves(shard)) {
          entries[count++] = {position, sample, shard};
        }
        ++position;
      }
    }
  }
  return count;
}

/// Finds the window's last batch, its rows, and their places in the buffer: rows that come from one
/// node are together, node after node.
RowWindows::Traffic RowWindows::plan(Window& window) {
  find_leaving(window.pass);
  const std::size_t nodes = held_.nodes();
  std::vector<std::vector<std::uint64_t>> wanted(nodes);  // samples of this node, by who needs them
  std::vector<std::uint64_t> here;                        // samples that this node needs
  window.steps.end = end_of_window(window.steps.begin);
  for (std::size_t step = window.steps.begin; step < window.steps.end; ++step) {
    const std::size_t first = here.size();
    Range own{first, first};
    for (const std::size_t shard : own_shards_) {
      const std::size_t begin = here.size();
      settings_.plan(window.pass, step, shard, here);
      own = shard == held_.grid().data_shard() ? Range{begin, here.size()} : own;
    }
    window.own.push_back(own);
    window.all.push_back({first, here.size()});
  }
  for (const LeavingIndex::Entry& row : leaving_index_->between(
           window.steps.begin * settings_.batch, window.steps.end * settings_.batch)) {
    for (const std::size_t n : needed_by_[row.shard()]) {
      if (n != held_.node()) {
        wanted[n].push_back(row.sample());
      }
    }
  }

  Traffic traffic;
  traffic.from.assign(nodes, 0);
  traffic.to.assign(nodes, 0);
  for (const std::uint64_t sample : here) {
    traffic.from[held_.owner(sample)] += units_.of(sample);
  }
  std::vector<std::uint64_t> next(nodes, 0);  // of each node: where its next row arrives
  for (std::size_t n = 0; n < nodes; ++n) {
    next[n] = traffic.arriving_units;
    traffic.arriving_units += traffic.from[n];
  }
  window.places.reserve(here.size());
  for (const std::uint64_t sample : here) {
    const std::size_t owner = held_.owner(sample);
    window.places.push_back(next[owner]);
    if (owner == held_.node()) {
      traffic.own.push_back({sample, next[owner]});
    }
    next[owner] += units_.of(sample);
  }
  for (std::size_t n = 0; n < nodes; ++n) {
    const std::uint64_t first = traffic.leaving_units;
    for (const std::uint64_t sample : wanted[n]) {
      traffic.leaving.push_back({sample, traffic.leaving_units});
      traffic.leaving_units += units_.of(sample);
    }
    traffic.to[n] = traffic.leaving_units - first;
  }
  return traffic;
}

/// Collective over the node: the buffer has room for so many units.
void RowWindows::make_room(Buffer& buffer, std::size_t units) {
  if (buffer.units >= units) {
    return;
  }
  const std::size_t room = units + units / 4;  // so that the next ones fit, too
  const std::size_t values = room * units_.value_bytes();
  const std::size_t bytes = values + room * units_.column_bytes() + 1;
  buffer = {};
  buffer.memory.emplace(held_.allocate(bytes, "the rows of the next batches"));
  buffer.values = buffer.memory->bytes().first(values);
  buffer.columns = buffer.memory->bytes().subspan(values, room * units_.column_bytes());
  buffer.units = room;
}

/// This rank's part of the rows that this node has to copy.
void RowWindows::pack(const Traffic& traffic, Buffer& to, Buffer& out) const {
  const Node& node = held_.grid().node();
  const std::uint64_t first = units_.before(held_.of(held_.node()).begin);
  const auto copy = [&](const std::vector<Traffic::Piece>& pieces, Buffer& buffer) {
    const Range mine = part_of(pieces.size(), static_cast<std::size_t>(node.size()),
                               static_cast<std::size_t>(node.rank()));
    for (std::size_t i = mine.begin; i < mine.end; ++i) {
      const Traffic::Piece row = pieces[i];
      const std::uint64_t from = units_.before(row.sample) - first;
      const std::uint64_t count = units_.of(row.sample);
      const auto put = [&](std::span<std::byte> bytes, const Bytes& array, std::size_t size) {
        if (count * size > 0) {
          std::memcpy(bytes.data() + row.place * size, array.view.data() + from * size,
                      count * size);
        }
      };
      put(buffer.values, data_.values, units_.value_bytes());
      put(buffer.columns, data_.value_columns, units_.column_bytes());
    }
  };
  copy(traffic.leaving, out);
  copy(traffic.own, to);
}

/// On leaders: begins to send and to receive.
void RowWindows::exchange(const Traffic& traffic, Buffer& to, Buffer& out) {
  const Communicator& leaders = held_.leaders();
  std::uint64_t arrives = 0;
  std::uint64_t leaves = 0;
  for (std::size_t n = 0; n < held_.nodes(); ++n) {
    const auto node = static_cast<int>(n);
    const auto receive = [&](std::span<std::byte> bytes, std::size_t size) {
      leaders.begin_receive(bytes.subspan(arrives * size, traffic.from[n] * size), node, requests_);
    };
    const auto send = [&](std::span<const std::byte> bytes, std::size_t size) {
      leaders.begin_send(bytes.subspan(leaves * size, traffic.to[n] * size), node, requests_);
    };
    if (n != held_.node() && traffic.from[n] > 0) {
      receive(to.values, units_.value_bytes());
      receive(to.columns, units_.column_bytes());
    }
    if (traffic.to[n] > 0) {
      send(out.values, units_.value_bytes());
      send(out.columns, units_.column_bytes());
    }
    arrives += traffic.from[n];
    leaves += traffic.to[n];
  }
}

/// Begins to bring a window. The buffer that it arrives in is read by nobody any more.
void RowWindows::prepare(std::size_t pass, std::size_t step) {
  coming_ = {};
  coming_.pass = pass;
  coming_.steps = {step, step};
  coming_.buffer = 1 - window_.buffer;
  const Traffic traffic = plan(coming_);
  Buffer& to = arrived_[coming_.buffer];
  make_room(to, traffic.arriving_units);
  make_room(leaving_, traffic.leaving_units);
  const Node& node = held_.grid().node();
  held_.wait_for_node();  // all ranks have gathered the rows of that buffer
  pack(traffic, to, leaving_);
  held_.wait_for_node();
  if (node.is_leader()) {
    exchange(traffic, to, leaving_);
  }
}

/// Waits for the window under way, which becomes the present one.
void RowWindows::complete() {
  wait_for(requests_);
  held_.wait_for_node();
  {
    const std::lock_guard lock(mutex_);
    window_ = std::exchange(coming_, {});
  }
  looked_ahead_ = false;
  changed_.notify_all();
  if (settings_.passes == 1 && window_.steps.size() == settings_.steps) {
    leaving_ = {};  // nothing will be brought any more
    leaving_index_.reset();
  }
}

void RowWindows::begin(std::size_t pass, std::size_t step) {
  pass = settings_.passes == 1 ? 0 : pass;
  if (!coming_.steps.empty() && !coming_.has(pass, step) && !window_.has(pass, step)) {
    complete();  // of a pass that has been left
  }
  const std::lock_guard lock(mutex_);
  pass_ = pass;
  first_ = step;
  stopped_ = false;
}

void RowWindows::require(std::size_t step) {
  if (window_.has(pass_, step)) {
    return;
  }
  if (!coming_.has(pass_, step)) {
    if (!coming_.steps.empty()) {
      complete();
    }
    prepare(pass_, step);
  }
  complete();
}

void RowWindows::look_ahead() {
  if (looked_ahead_ || window_.steps.empty()) {
    for (Request& request : requests_) {
      (void)request.test();  // MPI moves on what is under way
    }
    return;
  }
  looked_ahead_ = true;
  if (!coming_.steps.empty()) {
    return;
  }
  if (window_.steps.end < settings_.steps) {
    prepare(window_.pass, window_.steps.end);
  } else if (window_.pass + 1 < settings_.passes) {
    prepare(window_.pass + 1, 0);
  }
}

void RowWindows::finish() {
  if (!coming_.steps.empty()) {
    complete();
  }
}

FeatureRows RowWindows::rows_of(std::size_t step, bool whole) {
  std::unique_lock lock(mutex_);
  const std::size_t wanted = first_ + step;
  changed_.wait(lock, [&] { return stopped_ || window_.has(pass_, wanted); });
  if (stopped_) {
    throw std::runtime_error("the rows of a batch are not waited for any more");
  }
  const Range rows = (whole ? window_.all : window_.own)[wanted - window_.steps.begin];
  const Buffer& buffer = arrived_[window_.buffer];
  return {
      buffer.values.data(),
      data_.is_sparse() ? reinterpret_cast<const std::uint32_t*>(buffer.columns.data()) : nullptr,
      std::span(window_.places).subspan(rows.begin, rows.size())};
}

FeatureRows RowWindows::of_batch(std::size_t step, std::span<const std::uint64_t> /*samples*/,
                                 std::vector<std::uint64_t>& /*places*/) {
  return rows_of(step, false);
}

FeatureRows RowWindows::of_whole_batch(std::size_t step, std::span<const std::uint64_t> /*samples*/,
                                       std::vector<std::uint64_t>& /*places*/) {
  return rows_of(step, true);
}

void RowWindows::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_all();
}

}  // namespace dnn
