#pragma once
// Each file of a level puts its functions into the table.

#include "cpu/isa/table.h"

namespace lm::isa::LM_ISA {

void install_gemm(Kernels& table);
void install_attention(Kernels& table);
void install_attention_backward(Kernels& table);
void install_norm(Kernels& table);
void install_pointwise(Kernels& table);
void install_rows(Kernels& table);
void install_loss(Kernels& table);
void install_draw(Kernels& table);
void install_recurrent(Kernels& table);

}  // namespace lm::isa::LM_ISA
