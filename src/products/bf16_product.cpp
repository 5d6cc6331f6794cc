#include "dnn/products/bf16_product.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <dnnl.hpp>
#include <stdexcept>
#include <string>

#include "dnn/core/aligned_buffer.hpp"

namespace dnn {

namespace {

using Tag = dnnl::memory::format_tag;

Tag tag(Bf16Layout layout) {
  switch (layout) {
    case Bf16Layout::columns:
      return Tag::ba;
    case Bf16Layout::panels:
      return Tag::BA16a64b2a;
    case Bf16Layout::rows:
      break;
  }
  return Tag::ab;
}

dnnl::memory::desc describe(std::size_t rows, std::size_t cols, dnnl::memory::data_type type,
                            Tag layout) {
  return {{static_cast<dnnl_dim_t>(rows), static_cast<dnnl_dim_t>(cols)}, type, layout};
}

dnnl::memory::desc describe_b(std::size_t k, std::size_t n, Tag layout) {
  return describe(k, n, dnnl::memory::data_type::bf16, layout);
}

dnnl::matmul::primitive_desc choose(const dnnl::engine& engine, Tag layout_of_b, std::size_t m,
                                    std::size_t n, std::size_t k) {
  const auto a = describe(m, k, dnnl::memory::data_type::bf16, Tag::ab);
  const auto b = describe_b(k, n, layout_of_b);
  const auto c = describe(m, n, dnnl::memory::data_type::f32, Tag::ab);
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
#if DNNL_VERSION_MAJOR >= 3
  return {engine, a, b, c, attributes};
#else
  return {{a, b, c}, attributes, engine};
#endif
}

dnnl::engine processor() {
  return {dnnl::engine::kind::cpu, 0};
}

}  // namespace

/// oneDNN's objects, which its header alone describes.
class Bf16Product::Primitive {
 public:
  Primitive(Bf16Layout layout, std::size_t m, std::size_t n, std::size_t k)
      : engine_(processor()),
        stream_(engine_),
        description_(choose(engine_, tag(layout), m, n, k)),
        product_(description_),
        scratch_(description_.scratchpad_desc().get_size()),
        a_(description_.src_desc(), engine_, nullptr),
        b_(description_.weights_desc(), engine_, nullptr),
        c_(description_.dst_desc(), engine_, nullptr),
        scratchpad_(description_.scratchpad_desc(), engine_, scratch_.data()) {}

  void run(const Bf16* a, const Bf16* b, float* c) {
    a_.set_data_handle(const_cast<Bf16*>(a));  // oneDNN's interface knows no const
    b_.set_data_handle(const_cast<Bf16*>(b));
    c_.set_data_handle(c);
    // The C call: primitive::execute would copy its arguments into a new vector each time.
    const std::array<dnnl_exec_arg_t, 4> arguments = {{{DNNL_ARG_SRC, a_.get()},
                                                       {DNNL_ARG_WEIGHTS, b_.get()},
                                                       {DNNL_ARG_DST, c_.get()},
                                                       {DNNL_ARG_SCRATCHPAD, scratchpad_.get()}}};
    dnnl::error::wrap_c_api(
        dnnl_primitive_execute(product_.get(), stream_.get(), arguments.size(), arguments.data()),
        "a bf16 product failed");
    stream_.wait();
  }

 private:
  dnnl::engine engine_;
  dnnl::stream stream_;
  dnnl::matmul::primitive_desc description_;
  dnnl::matmul product_;
  AlignedBuffer<std::byte> scratch_;
  dnnl::memory a_, b_, c_, scratchpad_;
};

Bf16Product::Bf16Product(Bf16Layout layout, std::size_t m, std::size_t n, std::size_t k)
    : size_(m * n) {
  if (size_ == 0 || k == 0) {
    return;
  }
  try {
    primitive_ = std::make_unique<Primitive>(layout, m, n, k);
  } catch (const dnnl::error& e) {
    throw std::runtime_error(fmt::format(
        "oneDNN cannot multiply bf16 matrices of {} x {} and {} x {} on this processor ({})", m, k,
        k, n, e.message));
  }
}

Bf16Product::~Bf16Product() = default;
Bf16Product::Bf16Product(Bf16Product&&) noexcept = default;
Bf16Product& Bf16Product::operator=(Bf16Product&&) noexcept = default;

void Bf16Product::run(const Bf16* a, const Bf16* b, float* c) {
  if (primitive_) {
    primitive_->run(a, b, c);
  } else {
    std::fill_n(c, size_, 0.0F);
  }
}

bool Bf16Product::prefers_panels(std::size_t m, std::size_t n, std::size_t k) {
  constexpr std::size_t narrow = 32;  // filling up to a whole panel would cost more than it saves
  if (m == 0 || n < narrow || k == 0) {
    return false;
  }
  try {
    return choose(processor(), Tag::any, m, n, k).weights_desc() ==
           describe_b(k, n, tag(Bf16Layout::panels));
  } catch (const dnnl::error&) {
    return false;
  }
}

}  // namespace dnn
