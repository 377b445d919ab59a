#include "text/script.h"

#include "text/script_tables.h"
#include "text/unicode.h"

namespace lm::text {

u8 script_of(char32_t cp) {
  const char32_t c = cp < 0x110000 ? cp : 0x10FFFF;
  return tables::script_blocks[tables::script_index[c / tables::kScriptBlock] *
                                   tables::kScriptBlock +
                               c % tables::kScriptBlock];
}

bool is_uppercase(char32_t cp) {
  return general_category(cp) == Category::kLu || (cp >= 0x2160 && cp <= 0x216F) ||
         (cp >= 0x24B6 && cp <= 0x24CF) || (cp >= 0x1F130 && cp <= 0x1F149) ||
         (cp >= 0x1F150 && cp <= 0x1F169) || (cp >= 0x1F170 && cp <= 0x1F189);
}

}  // namespace lm::text
