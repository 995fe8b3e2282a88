// What both doubles do with work in a stream.
#pragma once

#include <functional>

// Puts work behind all that is waiting in a stream, or into the recording that is made there; refuses a stream that is none.
int valleys_double_do(void *in, std::function<int()> work);
