#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "dnn/comm/communicator.hpp"
#include "dnn/core/aligned_buffer.hpp"
#include "dnn/core/partition.hpp"
#include "dnn/core/sum_tree.hpp"

namespace dnn {

/// The sum along the tree (see Note [One tree over logical shards]) of what the ranks of a
/// communicator have of it: each rank receives all parts of its slice of the elements, adds them
/// up, and gives the sums to all. Where every rank has one node of the tree, that is as many bytes
/// as an allreduce takes.
///
/// Several reductions may be under way. All ranks must begin MPI's collectives of a communicator in
/// one order, but what arrives first is another one on each: so the second half of a reduction has
/// a communicator of its own, and begins after those of all reductions before it.
template <class T>
class TreeReduction {
 public:
  /// Elements that a rank receives at once.
  static constexpr std::size_t most_at_once = std::size_t{1} << 30;

  /// Collective over `ranks`, which must outlive it. `nodes`: of the tree over `leaves` leaves,
  /// what this rank has, in order; those of all ranks cover the tree once.
  TreeReduction(const Communicator& ranks, std::size_t leaves, const std::vector<Range>& nodes);

  /// The nodes that this rank has.
  [[nodiscard]] const std::vector<Range>& nodes() const {
    return nodes_of_[static_cast<std::size_t>(ranks_.rank())];
  }

  /// A reduction that runs in the background.
  class Pending {
   public:
    /// Whether it is done; moves it on. What it works on must be left alone until then.
    bool test();
    /// Returns when it is done; those begun before it are done by then.
    void wait();

   private:
    friend TreeReduction;
    /// One exchange of blocks; MPI reads the numbers until it is done.
    struct Exchange {
      std::vector<int> send_counts, send_offsets, receive_counts, receive_offsets;
      Request request;
    };
    void receive_parts(std::size_t round);
    void add_up();
    void give_to_all();
    void end();

    TreeReduction* owner_ = nullptr;
    std::uint64_t number_ = 0;  ///< of all reductions
    std::vector<const T*> parts_;
    T* to_ = nullptr;
    std::vector<Range> slices_;  ///< of the elements, one a rank
    AlignedBuffer<T> received_;  ///< the slice of every part of the other ranks
    std::size_t used_ = 0;       ///< elements of it
    std::vector<TreePart<T>> found_;
    std::vector<Exchange>
        exchanges_;  ///< one for each node that a rank has, then what gives to all
    enum class Stage { receiving, added_up, giving, done } stage_ = Stage::receiving;
  };

  /// Collective, in the same order on all ranks: begins the sum of `count` elements. `parts`: where
  /// those of each of nodes() are. `to`: where the sums go; may be one of the parts. `count` is
  /// less than 2^31.
  [[nodiscard]] std::unique_ptr<Pending> begin(std::vector<const T*> parts, std::size_t count,
                                               T* to);

  /// Collective: the same for any count, done when it returns.
  void run(const std::vector<const T*>& parts, std::size_t count, T* to);

 private:
  const Communicator& ranks_;
  Communicator giving_;  ///< the same ranks, for what gives the sums to all
  std::size_t leaves_;
  std::vector<std::vector<Range>> nodes_of_;  ///< of each rank
  std::size_t rounds_ = 0;                    ///< the most nodes that a rank has
  std::vector<AlignedBuffer<T>> free_;        ///< memory of reductions that are done
  std::uint64_t begun_ = 0;                   ///< reductions
  std::uint64_t given_ = 0;                   ///< of them, those that have begun to give to all
};

}  // namespace dnn
