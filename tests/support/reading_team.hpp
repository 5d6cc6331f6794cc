#pragma once

// Teams of threads that read one data set, as the nodes of a job do.

#include <gtest/gtest.h>

#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "dnn/core/copy_bytes.hpp"
#include "dnn/core/error.hpp"
#include "dnn/data/dataset.hpp"
#include "dnn/data/reading_team.hpp"
#include "dnn/data/table_schema_json.hpp"

namespace dnn::test {

/// Where the threads of a team meet. A thread that leaves with an error ends the others' waiting.
class MeetingPlace {
 public:
  explicit MeetingPlace(std::size_t members) : texts_(members) {}

  std::vector<std::string> exchange(std::size_t member, const std::string& own) {
    std::unique_lock lock(mutex_);
    texts_[member] = own;
    meet(lock);
    std::vector<std::string> all = texts_;
    meet(lock);  // nobody changes them before all have them
    return all;
  }

  void leave() {
    const std::lock_guard lock(mutex_);
    somebody_left_ = true;
    changed_.notify_all();
  }

 private:
  void meet(std::unique_lock<std::mutex>& lock) {
    const std::size_t turn = turn_;
    if (++arrived_ == texts_.size()) {
      arrived_ = 0;
      ++turn_;
      changed_.notify_all();
    }
    changed_.wait(lock, [&] { return turn_ != turn || somebody_left_; });
    if (turn_ == turn) {
      throw std::runtime_error("another member has left");
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> texts_;
  std::size_t arrived_ = 0;
  std::size_t turn_ = 0;
  bool somebody_left_ = false;
};

class ThreadLink : public ReadingTeam::Link {
 public:
  ThreadLink(std::shared_ptr<MeetingPlace> place, std::size_t member)
      : place_(std::move(place)), member_(member) {}

  [[nodiscard]] std::vector<std::string> exchange(const std::string& own) override {
    return place_->exchange(member_, own);
  }
  void complete(std::span<std::byte> whole, std::span<const Range> slices) override {
    const Range own = slices[member_];
    const auto all =
        exchange({reinterpret_cast<const char*>(whole.data()) + own.begin, own.size()});
    for (std::size_t m = 0; m < all.size(); ++m) {
      EXPECT_EQ(all[m].size(), slices[m].size());
      copy_bytes(whole.data() + slices[m].begin, all[m].data(), all[m].size());
    }
  }

 private:
  std::shared_ptr<MeetingPlace> place_;
  std::size_t member_;
};

/// What a team ended with: a data set for each member, or the message that all have thrown.
struct TeamReading {
  std::vector<Dataset> members;
  std::string error;
};

/// Calls `read(team)` in as many threads as the team has members.
inline TeamReading read_by_team(std::size_t members,
                                const std::function<Dataset(const ReadingTeam&)>& read) {
  const auto place = std::make_shared<MeetingPlace>(members);
  std::vector<Dataset> data(members);
  std::vector<std::string> errors(members);
  std::vector<std::thread> threads;
  for (std::size_t m = 0; m < members; ++m) {
    threads.emplace_back([&, m] {
      const ReadingTeam team(members, m, std::make_shared<ThreadLink>(place, m));
      try {
        data[m] = read(team);
      } catch (const InputError& error) {
        errors[m] = error.what();
        place->leave();
      } catch (const std::exception& error) {
        errors[m] = std::string("not an InputError: ") + error.what();
        place->leave();
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  for (const std::string& error : errors) {
    EXPECT_EQ(error, errors.front());
  }
  return {std::move(data), errors.front()};
}

/// Everything about a data set but its features, as text.
inline std::string all_but_features(const Dataset& data) {
  std::string text;
  const auto add = [&text](const auto& value) {
    if constexpr (std::is_arithmetic_v<std::decay_t<decltype(value)>>) {
      text += std::to_string(value) + "\n";
    } else {
      text += std::string(value) + "\n";
    }
  };
  const auto add_bytes = [&text](const Bytes& bytes) {
    text.append(reinterpret_cast<const char*>(bytes.view.data()), bytes.size());
    text += "\n" + std::to_string(bytes.size()) + " bytes\n";
  };
  add(data.origin);
  add(data.samples);
  add(data.features);
  add(static_cast<int>(data.element));
  add(data.row_elements);
  add(data.index_base);
  add(static_cast<int>(data.task));
  for (const auto* names : {&data.class_names, &data.feature_names, &data.notes}) {
    for (const std::string& name : *names) {
      add(name);
    }
    add("--");
  }
  add(to_text(data.schema));
  add(data.has_missing ? 1 : 0);
  add_bytes(data.row_offsets);
  add_bytes(data.labels);
  add_bytes(data.target_rows);
  add_bytes(data.weights);
  return text;
}

inline std::string features_of(const Dataset& data) {
  const auto text = [](const Bytes& bytes) {
    return std::string(reinterpret_cast<const char*>(bytes.view.data()), bytes.size());
  };
  return text(data.values) + "|" + text(data.value_columns);
}

/// Expects that a team of so many members reads what one process reads, or finds the same error.
inline void expect_same_by_team(std::size_t members,
                                const std::function<Dataset(const ReadingTeam&)>& read) {
  std::optional<Dataset> alone;
  std::string error;
  try {
    alone = read(ReadingTeam());
  } catch (const InputError& thrown) {
    error = thrown.what();
  }
  const TeamReading team = read_by_team(members, read);
  ASSERT_EQ(team.error, error);
  if (!alone) {
    return;
  }
  std::size_t samples = 0;
  std::string values;
  std::string columns;
  for (const Dataset& data : team.members) {
    ASSERT_EQ(all_but_features(data), all_but_features(*alone));
    ASSERT_TRUE(data.held.has_value());
    ASSERT_EQ(data.held->begin, samples);
    samples = data.held->end;
    values.append(reinterpret_cast<const char*>(data.values.view.data()), data.values.size());
    columns.append(reinterpret_cast<const char*>(data.value_columns.view.data()),
                   data.value_columns.size());
  }
  ASSERT_EQ(samples, alone->samples);
  ASSERT_TRUE(values + "|" + columns == features_of(*alone)) << "the features differ";
}

}  // namespace dnn::test
