#include "cpu/isa/table.h"

#include "cpu/isa/parts.h"

#define LM_STRING_(x) #x
#define LM_STRING(x) LM_STRING_(x)

namespace lm::isa::LM_ISA {

namespace {

Kernels make_table() {
  Kernels table{};
  table.name = LM_STRING(LM_ISA);
  install_gemm(table);
  install_attention(table);
  install_attention_backward(table);
  install_norm(table);
  install_pointwise(table);
  install_rows(table);
  install_loss(table);
  install_draw(table);
  install_recurrent(table);
  return table;
}

}  // namespace

const Kernels& kernels() {
  static const Kernels table = make_table();
  return table;
}

}  // namespace lm::isa::LM_ISA
