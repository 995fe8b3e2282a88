// What both doubles do with work in a stream.
#pragma once

#include <functional>

// Does work at once, or puts it into the recording that is made in this stream; refuses a stream that is none.
int valleys_double_do(void *stream, std::function<int()> work);
