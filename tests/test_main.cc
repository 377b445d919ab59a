// The one translation unit that pays for Catch2's main.
#define CATCH_CONFIG_MAIN
#include "catch.h"
