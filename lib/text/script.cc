#include "text/script.h"

#include "text/segmentation_tables.h"

namespace lm::text {

u8 script_of(char32_t cp) {
  return tables::segmentation_value(tables::script_index, tables::script_blocks, cp);
}

}  // namespace lm::text
