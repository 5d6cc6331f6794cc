#include "dnn/library/sample_store.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "dnn/comm/collective_error.hpp"
#include "dnn/core/copy_bytes.hpp"
#include "dnn/core/random.hpp"
#include "dnn/library/global_order.hpp"

namespace dnn {

namespace {

/// 64 random bits of an id: what a stream's layer and sample together have room for.
std::uint64_t random_bits(std::uint64_t seed, Purpose purpose, std::uint64_t update,
                          std::uint64_t id) {
  constexpr unsigned sample_bits = 40;
  constexpr std::uint64_t epochs = std::uint64_t{1} << 24;
  const auto words = RandomStream(seed, purpose, id >> sample_bits, update % epochs,
                                  id & ((std::uint64_t{1} << sample_bits) - 1))
                         .block(0);
  return std::uint64_t{words[0]} << 32 | words[1];
}

std::uint64_t id_of(std::span<const std::byte> record) {
  std::uint64_t id = 0;
  std::memcpy(&id, record.data(), sizeof(id));
  return id;
}

}  // namespace

SampleStore::SampleStore(std::size_t capacity, StoreKeeps keeps, std::uint64_t seed)
    : capacity_(capacity), keeps_(keeps), seed_(seed) {}

std::size_t SampleStore::home_of(std::uint64_t id, std::size_t ranks) {
  return random_bits(0, Purpose::store_kept, 0, id) % ranks;
}

void SampleStore::add(const Communicator& world, const Records& given, std::uint64_t update) {
  const GlobalOrder order(world, given.ids());  // no id twice
  if (order.size() == 0) {
    return;
  }
  if (total_ > 0 && given.form != held_.form) {
    throw AgreedError(
        "the samples have another form (type, features, targets, weights) than those in the store");
  }
  held_.form = given.form;
  const auto ranks = static_cast<std::size_t>(world.size());
  std::vector<std::vector<std::size_t>> of_rank(ranks);
  for (std::size_t i = 0; i < given.size(); ++i) {
    of_rank[home_of(given.id(i), ranks)].push_back(i);
  }
  std::vector<std::byte> out;
  out.reserve(given.bytes.size());
  std::vector<std::uint64_t> sends;
  for (const auto& indices : of_rank) {
    sends.push_back(indices.size());
    for (const std::size_t i : indices) {
      const auto record = given.record(i);
      out.insert(out.end(), record.begin(), record.end());
    }
  }
  Records arrived{given.form, {}};
  exchange_records(world, out, sends, arrived);
  for (std::size_t i = 0; i < arrived.size(); ++i) {
    put(arrived.record(i), update);
  }
  total_ = world.all_reduce<std::uint64_t>(held_.size(), Reduction::sum);
  if (total_ <= capacity_) {
    return;
  }
  std::vector<Key> keys;
  for (std::size_t i = 0; i < held_.size(); ++i) {
    Key key = keeping_key(i);
    key.first = ~key.first;  // the last ones go first
    key.second = ~key.second;
    keys.push_back(key);
  }
  for (const std::uint64_t id : least(world, std::move(keys), total_ - capacity_)) {
    if (const auto found = index_of_.find(id); found != index_of_.end()) {
      remove(found->second);
    }
  }
  total_ = capacity_;
}

Records SampleStore::draw(const Communicator& world, std::size_t count,
                          std::uint64_t update) const {
  std::vector<Key> keys;
  keys.reserve(held_.size());
  for (std::size_t i = 0; i < held_.size(); ++i) {
    const std::uint64_t id = held_.id(i);
    keys.push_back({random_bits(seed_, Purpose::store_drawn, update, id), 0, id});
  }
  Records drawn{held_.form, {}};
  for (const std::uint64_t id : least(world, std::move(keys), std::min(count, total_))) {
    if (const auto found = index_of_.find(id); found != index_of_.end()) {
      drawn.add(held_.record(found->second));
    }
  }
  return drawn;
}

void SampleStore::restore(const Communicator& world, const Contents& own) {
  held_ = {own.records.form, {}};
  updates_.clear();
  index_of_.clear();
  for (std::size_t i = 0; i < own.records.size(); ++i) {
    put(own.records.record(i), own.updates[i]);
  }
  total_ = world.all_reduce<std::uint64_t>(held_.size(), Reduction::sum);
}

SampleStore::Key SampleStore::keeping_key(std::size_t index) const {
  const std::uint64_t id = held_.id(index);
  const std::uint64_t random = random_bits(seed_, Purpose::store_kept, 0, id);
  return keeps_ == StoreKeeps::newest ? Key{~updates_[index], random, id} : Key{random, 0, id};
}

void SampleStore::put(std::span<const std::byte> record, std::uint64_t update) {
  const auto [place, is_new] = index_of_.try_emplace(id_of(record), held_.size());
  if (is_new) {
    held_.add(record);
    updates_.push_back(update);
    return;
  }
  copy_bytes(held_.bytes.data() + place->second * record.size(), record.data(), record.size());
  updates_[place->second] = update;
}

/// The last one takes the place of the one that goes.
void SampleStore::remove(std::size_t index) {
  const std::size_t record = held_.form.bytes();
  const std::size_t last = held_.size() - 1;
  index_of_.erase(held_.id(index));
  if (index != last) {
    copy_bytes(held_.bytes.data() + index * record, held_.bytes.data() + last * record, record);
    updates_[index] = updates_[last];
    index_of_[held_.id(index)] = index;
  }
  updates_.pop_back();
  held_.bytes.resize(last * record);
}

std::vector<std::uint64_t> SampleStore::least(const Communicator& world, std::vector<Key> own,
                                              std::size_t count) {
  const auto most = static_cast<std::ptrdiff_t>(std::min(count, own.size()));
  std::partial_sort(own.begin(), own.begin() + most, own.end());
  own.resize(static_cast<std::size_t>(most));
  std::vector<std::uint64_t> words;
  for (const Key& key : own) {
    words.insert(words.end(), {key.first, key.second, key.id});
  }
  std::vector<Key> all;
  for (const auto& list : all_gather_lists(world, words)) {
    for (std::size_t i = 0; i + 2 < list.size(); i += 3) {
      all.push_back({list[i], list[i + 1], list[i + 2]});
    }
  }
  const auto chosen = static_cast<std::ptrdiff_t>(std::min(count, all.size()));
  std::partial_sort(all.begin(), all.begin() + chosen, all.end());
  std::vector<std::uint64_t> ids;
  for (auto key = all.begin(); key != all.begin() + chosen; ++key) {
    ids.push_back(key->id);
  }
  return ids;
}

}  // namespace dnn
