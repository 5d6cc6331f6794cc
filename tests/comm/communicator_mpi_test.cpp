#include "dnn/comm/communicator.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <utility>
#include <vector>

#include "dnn/comm/mpi_error.hpp"
#include "support/mpi_world.hpp"

namespace dnn {
namespace {

using test::world;

template <class T>
class CommunicatorOf : public testing::Test {};
using Elements = testing::Types<float, double, std::int64_t, std::uint64_t>;
TYPED_TEST_SUITE(CommunicatorOf, Elements);

TYPED_TEST(CommunicatorOf, ReducesElementByElement) {
  const auto ranks = static_cast<TypeParam>(world().size());
  const auto rank = static_cast<TypeParam>(world().rank());
  std::vector<TypeParam> values = {TypeParam{1}, rank, ranks - rank};
  const std::vector<TypeParam> given = values;
  const TypeParam rank_sum = ranks * (ranks - 1) / 2;
  world().all_reduce(std::span(values), Reduction::sum);
  EXPECT_EQ(values, (std::vector<TypeParam>{ranks, rank_sum, ranks * ranks - rank_sum}));
  values = given;
  world().all_reduce(std::span(values), Reduction::max);
  EXPECT_EQ(values, (std::vector<TypeParam>{1, ranks - 1, ranks}));
  EXPECT_EQ(world().all_reduce(given[2], Reduction::min), TypeParam{1});
}

TEST(Communicator, EmptyReductionIsNothing) {
  std::vector<double> none;
  world().all_reduce(std::span(none), Reduction::sum);
  EXPECT_TRUE(none.empty());
}

TEST(Communicator, BroadcastsBytesAndTextFromAnyRank) {
  for (int root = 0; root < world().size(); ++root) {
    std::vector<int> values(1000, -1);
    if (world().rank() == root) {
      std::iota(values.begin(), values.end(), root);
    }
    world().broadcast(std::as_writable_bytes(std::span(values)), root);
    EXPECT_EQ(values.front(), root);
    EXPECT_EQ(values.back(), root + 999);
    const std::string own = "rank " + std::to_string(world().rank());
    EXPECT_EQ(world().broadcast(own, root), "rank " + std::to_string(root));
  }
}

// Messages above the piece, below it, of whole pieces, and of nothing, to the next rank of a ring.
TEST(Communicator, MessagesTravelInPieces) {
  const int ranks = world().size();
  const int next = (world().rank() + 1) % ranks;
  const int before = (world().rank() + ranks - 1) % ranks;
  const auto byte_of = [](int rank, std::size_t message, std::size_t place) {
    return static_cast<std::byte>(37 * static_cast<std::size_t>(rank) + 11 * message + place);
  };
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{1000}}) {
    const std::size_t sizes[] = {100, 0, 7, 21, 3};
    std::vector<std::vector<std::byte>> sent;
    std::vector<std::vector<std::byte>> arrived;
    std::vector<Request> requests;
    std::size_t messages = 0;
    for (std::size_t m = 0; m < std::size(sizes); ++m) {
      std::vector<std::byte>& message = sent.emplace_back(sizes[m]);
      for (std::size_t i = 0; i < sizes[m]; ++i) {
        message[i] = byte_of(world().rank(), m, i);
      }
      arrived.emplace_back(sizes[m]);
      messages += 2 * ((sizes[m] + piece - 1) / piece);
    }
    for (std::size_t m = 0; m < std::size(sizes); ++m) {
      world().begin_receive(arrived[m], before, requests, piece);
      world().begin_send(sent[m], next, requests, piece);
    }
    EXPECT_EQ(requests.size(), messages);
    wait_for(requests);
    for (std::size_t m = 0; m < std::size(sizes); ++m) {
      for (std::size_t i = 0; i < sizes[m]; ++i) {
        EXPECT_EQ(arrived[m][i], byte_of(before, m, i)) << piece << " " << m << " " << i;
      }
    }
  }
}

TEST(Communicator, GathersTextsInRankOrder) {
  const int root = world().size() - 1;
  const std::string own(static_cast<std::size_t>(world().rank()) * 3, 'x');
  const auto texts = world().gather(own, root);
  EXPECT_EQ(texts.size(), world().rank() == root ? static_cast<std::size_t>(world().size()) : 0U);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    EXPECT_EQ(texts[i].size(), 3 * i);
  }
}

TEST(Communicator, ExchangesBlocksOfAnySizes) {
  const auto ranks = static_cast<std::size_t>(world().size());
  const auto rank = static_cast<std::size_t>(world().rank());
  // Rank i has for rank j a block of i + 2 j elements (rank 0 for itself: none).
  std::vector<double> from;
  std::vector<std::size_t> sent;
  std::vector<std::size_t> received;
  std::vector<double> expected;
  for (std::size_t other = 0; other < ranks; ++other) {
    sent.push_back(rank + 2 * other);
    from.insert(from.end(), sent.back(), static_cast<double>(rank * 100 + other));
    received.push_back(other + 2 * rank);
    expected.insert(expected.end(), received.back(), static_cast<double>(other * 100 + rank));
  }
  std::vector<double> to(expected.size(), -1);
  world().all_to_all(std::span<const double>(from), sent, std::span(to), received);
  EXPECT_EQ(to, expected);
}

TEST(Communicator, MovesItsHandle) {
  Communicator first = Communicator::duplicate(world().handle());
  const MPI_Comm handle = first.handle();
  Communicator second = std::move(first);
  EXPECT_EQ(second.handle(), handle);
  second = Communicator::duplicate(world().handle());
  EXPECT_EQ(second.size(), world().size());
  second.barrier();
}

TEST(Communicator, AFailingCallNamesItsRoutine) {
  std::byte byte{};
  try {
    world().broadcast(std::span(&byte, 1), world().size());  // no such root
    ADD_FAILURE() << "nothing was thrown";
  } catch (const MpiError& error) {
    EXPECT_EQ(error.routine(), "MPI_Bcast");
    EXPECT_NE(error.code(), MPI_SUCCESS);
    EXPECT_NE(std::string(error.what()).find("root"), std::string::npos) << error.what();
  }
}

// Counts beyond an int travel in pieces: 2^31 + 8 bytes from the last rank to the other one. One
// rank alone sends nothing, and more than two only need more memory.
TEST(Communicator, CountsBeyondTwoToThe31) {
  if (world().size() != 2) {
    return;
  }
  const std::size_t size = (std::size_t{1} << 31) + 8;
  std::vector<std::byte> bytes(size);
  const int root = world().size() - 1;
  if (world().rank() == root) {
    bytes.front() = std::byte{1};
    bytes[size / 2] = std::byte{2};
    bytes.back() = std::byte{3};
  }
  world().broadcast(std::span(bytes), root);
  EXPECT_EQ(bytes.front(), std::byte{1});
  EXPECT_EQ(bytes[size / 2], std::byte{2});
  EXPECT_EQ(bytes.back(), std::byte{3});
}

TEST(Communicator, KnowsItsHost) {
  EXPECT_FALSE(host_name().empty());
}

TEST(Communicator, ScatterIsTheInverseOfGather) {
  const std::string mine(static_cast<std::size_t>(3 * world().rank()), 'a');
  for (int root = 0; root < world().size(); ++root) {
    EXPECT_EQ(world().scatter(world().gather(mine, root), root), mine);
  }
}

TEST(Communicator, GatherSlicesPutsEachWhereItsRankSays) {
  const auto ranks = static_cast<std::size_t>(world().size());
  const auto rank = static_cast<std::size_t>(world().rank());
  for (int root = 0; root < world().size(); ++root) {
    // Rank r has r bytes; slices lie in the order of ranks from the last to the first.
    const std::vector<std::byte> own(rank, static_cast<std::byte>(rank));
    std::size_t offset = 0;
    for (std::size_t later = rank + 1; later < ranks; ++later) {
      offset += later;
    }
    std::vector<std::byte> whole(world().rank() == root ? ranks * (ranks - 1) / 2 : 0);
    world().gather_slices(own, offset, whole, root);
    if (world().rank() == root) {
      std::vector<std::byte> expected;
      for (std::size_t r = ranks; r-- > 0;) {
        expected.insert(expected.end(), r, static_cast<std::byte>(r));
      }
      EXPECT_EQ(whole, expected);
    }
  }
}

}  // namespace
}  // namespace dnn
