#include "dnn/data/prefetched_rows.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "support/temporary_folder.hpp"

namespace dnn {
namespace {

/// What the system says of pages, and what it is asked for. What is in memory in truth depends on
/// the file system and on other programs.
struct System {
  bool has_all_pages = false;
  std::vector<std::pair<const std::byte*, const std::byte*>> asked;  ///< for what it was

  [[nodiscard]] bool was_asked_for(const std::byte* begin, std::size_t size) const {
    return std::ranges::any_of(asked, [&](const auto& range) {
      return range.first <= begin && begin + size <= range.second;
    });
  }
};

System* system_of_test = nullptr;

}  // namespace
}  // namespace dnn

// In place of the C library's, in the whole program of the tests.
extern "C" int madvise(void* address, std::size_t size, int advice) noexcept {
  if (dnn::system_of_test != nullptr && advice == MADV_WILLNEED) {
    const auto* const begin = static_cast<const std::byte*>(address);
    auto& asked = dnn::system_of_test->asked;
    if (!asked.empty() && asked.back().second == begin) {  // the same request in pieces
      asked.back().second += size;
    } else {
      asked.emplace_back(begin, begin + size);
    }
  }
  return static_cast<int>(::syscall(SYS_madvise, address, size, advice));
}

extern "C" int mincore(void* address, std::size_t size, unsigned char* pages) noexcept {
  if (dnn::system_of_test == nullptr) {
    return static_cast<int>(::syscall(SYS_mincore, address, size, pages));
  }
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  std::fill_n(pages, (size + page - 1) / page, dnn::system_of_test->has_all_pages ? 1 : 0);
  return 0;
}

namespace dnn {
namespace {

/// 3,000 samples of 4,000 bytes in a file, each byte its sample's number, in batches of 50.
class PrefetchedRowsOfAFile : public testing::Test {
 protected:
  static constexpr std::size_t steps = 60;
  static constexpr std::size_t row = 4000;

  PrefetchedRowsOfAFile() {
    std::string text;
    for (std::size_t i = 0; i < 3000; ++i) {
      text.append(row, static_cast<char>(i));
    }
    data_.samples = 3000;
    data_.features = data_.row_elements = row;
    data_.element = ElementType::u8;
    data_.values = map_file(folder_.write("rows", text));
    system_of_test = &system_;
  }
  ~PrefetchedRowsOfAFile() override { system_of_test = nullptr; }

  static std::vector<std::uint64_t> samples_of(std::size_t step) {
    std::vector<std::uint64_t> samples;
    for (std::size_t i = 0; i < 50; ++i) {
      samples.push_back((step * 50 + i) * 1999 % 3000);
    }
    return samples;
  }
  void begin(PrefetchedRows& rows) {
    rows.begin(
        [this](std::size_t step, std::vector<std::uint64_t>& samples) {
          planned_.push_back(step);
          const std::vector<std::uint64_t> more = samples_of(step);
          samples.insert(samples.end(), more.begin(), more.end());
        },
        steps);
  }
  [[nodiscard]] bool was_asked_for(std::size_t step) const {
    const std::vector<std::uint64_t> samples = samples_of(step);
    return std::ranges::all_of(samples, [this](std::uint64_t sample) {
      return system_.was_asked_for(data_.values.view.data() + sample * row, row);
    });
  }
  void expect_rows(PrefetchedRows& rows, std::size_t step) {
    const std::vector<std::uint64_t> samples = samples_of(step);
    const FeatureRows found = rows.of_batch(step, samples, places_);
    for (std::size_t i = 0; i < samples.size(); ++i) {
      EXPECT_EQ(static_cast<unsigned char>(found.values[found.places[i] * row + row - 1]),
                samples[i] % 256);
    }
  }

  test::TemporaryFolder folder_;
  Dataset data_;
  System system_;
  std::vector<std::size_t> planned_;
  std::vector<std::uint64_t> places_;
};

TEST_F(PrefetchedRowsOfAFile, AsksTheSystemForTheRowsOfABatchBeforeItIsRead) {
  ASSERT_TRUE(PrefetchedRows::suits(data_));
  PrefetchedRows rows(data_);
  begin(rows);
  std::size_t times = 0;  // that the system was asked
  for (std::size_t step = 0; step < steps; ++step) {
    if (step > 0) {
      EXPECT_TRUE(was_asked_for(step)) << step;  // while the batch before is computed with
    }
    const std::size_t before = system_.asked.size();
    expect_rows(rows, step);
    times += system_.asked.size() > before ? 1 : 0;
    EXPECT_TRUE(was_asked_for(step)) << step;
    // Those of a window together: in the order of the file, each page once.
    for (std::size_t i = before + 1; i < system_.asked.size(); ++i) {
      EXPECT_LT(system_.asked[i - 1].second, system_.asked[i].first);
    }
  }
  EXPECT_EQ(times, 3U);  // windows of 4 MiB in 12 MB
  ASSERT_EQ(planned_.size(), steps);
  for (std::size_t step = 0; step < steps; ++step) {
    EXPECT_EQ(planned_[step], step);
  }
}

TEST_F(PrefetchedRowsOfAFile, AsksForNothingThatIsInMemory) {
  system_.has_all_pages = true;
  PrefetchedRows rows(data_);
  begin(rows);
  for (std::size_t step = 0; step < steps; ++step) {
    expect_rows(rows, step);
  }
  EXPECT_TRUE(system_.asked.empty());
}

TEST(PrefetchedRows, SuitNothingThatLiesInMemory) {
  Dataset data;
  data.samples = 1;
  data.values = Bytes::from(std::vector<float>(3));
  EXPECT_FALSE(PrefetchedRows::suits(data));
}

}  // namespace
}  // namespace dnn
